"""Running services in the cluster from the working tree: `make cluster-dev`."""

import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import partial

from deploy.forwarding import Forwarding
from deploy.images import Delivery
from deploy.kubectl import NAMESPACE, Kubectl
from deploy.lease import Lease
from deploy.replicas import Replicas
from deploy.templates import replace_template, replaced_templates
from tooling.console import say
from tooling.failures import Failure
from tooling.lines import show_line
from tooling.project import Service
from tooling.working_tree import Change, snapshot


def develop(
    kubectl: Kubectl,
    services: Sequence[Service],
    delivery: Callable[[], Delivery],
    changes: Iterator[Change | None],
    debugger: Mapping[str, str],
) -> None:
    """Run the services from the working tree until Ctrl-C, then from their images again.

    The caller must already be watching `changes`. `debugger` is empty, or has the port DEBUGGER at
    which the debugger of the only service is reachable on this machine. `delivery` is called when
    there is an image to build. Raises Failure.
    """
    take = partial(snapshot, with_debugger=bool(debugger))
    with (
        suppress(KeyboardInterrupt),
        Lease(kubectl) as lease,
        replaced_templates(kubectl, services, debugger, lease),
        Replicas(kubectl, services) as replicas,
        ExitStack() as forwarded,
    ):
        for service in services:
            replicas.want(service, take(service))
        for port in debugger.values():
            name = f"deployment/{services[0].workload}"
            forwarded.enter_context(Forwarding(kubectl, name, int(port), here=port))
        enter, to_build, to_restart = _listen_for_enter(), set[Service](), set[Service]()
        for change in changes:
            if lease.is_lost:
                break
            if change is not None:
                to_build |= _with_new_packages(change, services)
                to_restart |= {
                    service
                    for service in services
                    if change.is_of_code(service) and replicas.want(service, take(service), change)
                }
            if change is not None or enter.is_set():
                _try_each(to_restart, partial(_restart, kubectl))
            if enter.is_set():
                enter.clear()
                _try_each(to_build, partial(_build, kubectl, delivery, debugger))


def _with_new_packages(change: Change, services: Sequence[Service]) -> set[Service]:
    changed = {service for service in services if change.is_of_packages(service)}
    for service in changed:
        what = f"{change.title} changed, which needs a new image. Press Enter to build it."
        show_line(service.name, what)
    return changed


def _try_each(services: set[Service], work: Callable[[Service], None]) -> None:
    """Do the work for each service, and remove those for which it succeeds from the set."""
    for service in list(services):
        try:
            work(service)
            services.discard(service)
        except Failure as failure:
            say(f"{failure}\nPress Enter to try again. Until then, the pods stay as they are.")


def _restart(kubectl: Kubectl, service: Service) -> None:
    kubectl.run("rollout", "restart", f"deployment/{service.workload}", "--namespace", NAMESPACE)


def _build(
    kubectl: Kubectl,
    delivery: Callable[[], Delivery],
    debugger: Mapping[str, str],
    service: Service,
) -> None:
    """Build the image, and let the pods run the working tree on it."""
    image = delivery().deliver([service])[service.image]
    replace_template(kubectl, service, debugger, image)


def _listen_for_enter() -> threading.Event:
    """Return an event that is set whenever Enter is pressed at the terminal."""
    pressed = threading.Event()

    def listen() -> None:
        for _ in sys.stdin:
            pressed.set()

    threading.Thread(target=listen, daemon=True).start()
    return pressed
