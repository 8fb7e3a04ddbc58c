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
from tooling.console import step
from tooling.lines import show_line
from tooling.project import Service
from tooling.working_tree import Change, Snapshot, snapshot


def develop(
    kubectl: Kubectl,
    services: Sequence[Service],
    delivery: Delivery,
    changes: Iterator[Change | None],
    debugger: Mapping[str, str],
) -> None:
    """Run the services from the working tree until Ctrl-C, then from their images again.

    `changes` must be watched already. `debugger` is empty, or has the port DEBUGGER at which the
    debugger of the only service is reachable on this machine. Raises Failure.
    """
    take = partial(snapshot, with_debugger=bool(debugger))
    with (
        suppress(KeyboardInterrupt),
        Lease(kubectl),
        replaced_templates(kubectl, services, debugger),
        Replicas(kubectl, services) as replicas,
        ExitStack() as forwarded,
    ):
        for service in services:
            replicas.want(service, take(service))
        for port in debugger.values():
            name = f"deployment/{services[0].workload}"
            forwarded.enter_context(Forwarding(kubectl, name, int(port), here=port))
        enter, to_build = _listen_for_enter(), set[Service]()
        for change in changes:
            if change is not None:
                to_build |= {service for service in services if change.is_of_packages(service)}
                for service in services:
                    _apply(change, service, kubectl, replicas, take)
            if enter.is_set():
                enter.clear()
                _build(kubectl, to_build, delivery, debugger)


def _apply(
    change: Change,
    service: Service,
    kubectl: Kubectl,
    replicas: Replicas,
    take: Callable[[Service], Snapshot],
) -> None:
    if change.is_of_packages(service):
        what = f"{change.title} changed, which needs a new image. Press Enter to build it."
        show_line(service.name, what)
    if not change.is_of_code(service):
        return
    is_new = replicas.want(service, take(service), change)
    if is_new and change.is_of_migrations(service):
        # New pods migrate before they serve; the old ones keep the code that fits the old schema.
        replicas.retire(service)
        kubectl.run(
            "rollout", "restart", f"deployment/{service.workload}", "--namespace", NAMESPACE
        )


def _build(
    kubectl: Kubectl, services: set[Service], delivery: Delivery, debugger: Mapping[str, str]
) -> None:
    """Build images, and let the pods run the working tree on them."""
    while services:
        service = services.pop()
        with step(f"Building {service.image}"):
            images = delivery.build([service])
        with step("Bringing it to the cluster"):
            delivery.bring_builds(images)
        image = delivery.name_in_cluster(images[service.image])
        replace_template(kubectl, service, debugger, image)


def _listen_for_enter() -> threading.Event:
    """Return an event that is set whenever Enter is pressed at the terminal."""
    pressed = threading.Event()

    def listen() -> None:
        for _ in sys.stdin:
            pressed.set()

    threading.Thread(target=listen, daemon=True).start()
    return pressed
