"""Deploying an overlay to a cluster, or one service's new image."""

import time
from collections.abc import Mapping
from contextlib import suppress

from deploy import messages
from deploy.addresses import reachable
from deploy.images import Delivery
from deploy.kubectl import NAMESPACE, Kubectl
from deploy.overlays import LOCAL, Overlay
from deploy.rollout import wait_seconds, wait_until_ready
from deploy.templates import check_images, containers_of
from tooling.console import say, step
from tooling.failures import Failure
from tooling.project import SERVICES, Service


def deploy(
    kubectl: Kubectl, overlay: Overlay, delivery: Delivery | None, environment: Mapping[str, str]
) -> None:
    """Apply the overlay, wait until it is ready, and print the addresses. Raises Failure."""
    apply_overlay(kubectl, overlay, delivery, environment)
    if overlay.is_local:
        say(messages.addresses(reachable(kubectl, environment), kubectl))
        say(messages.how_to_go_on(overlay))


def prepare(kubectl: Kubectl, delivery: Delivery, environment: Mapping[str, str]) -> None:
    """Deploy everything that the services' own manifests need, but not the services.

    The overlay `local` is applied as a whole, which loads the demonstration data; then the objects
    that the reader of docs/chapter.md creates are deleted. Raises Failure.
    """
    apply_overlay(kubectl, LOCAL, delivery, environment)
    names = ",".join(service.workload for service in SERVICES)
    selector = f"--selector=app.kubernetes.io/name in ({names})"
    kinds = "deployments,services,ingresses"
    with step("Deleting the three services"):
        # It waits until their pods have ended, so that the reader's list shows none of them.
        kubectl.run("delete", kinds, selector, "--cascade=foreground", "--namespace", NAMESPACE)
    say(messages.PREPARED)


def apply_overlay(
    kubectl: Kubectl, overlay: Overlay, delivery: Delivery | None, environment: Mapping[str, str]
) -> None:
    """Apply the overlay and wait until everything is ready.

    With a `delivery` the images are built here; without it the cluster pulls the images that the
    overlay names. Raises Failure.
    """
    started = time.monotonic()
    seconds = wait_seconds(environment)
    if made := overlay.make_secrets():
        say(messages.made_secrets(overlay, made))
    if missing := overlay.missing_files():
        raise Failure(messages.missing_files(missing))
    check_images(kubectl.get("deployments"))
    manifests = kubectl.run("kustomize", str(overlay.folder))
    if delivery is not None:
        for name, image in delivery.deliver(SERVICES).items():
            manifests = manifests.replace(f"image: {name}\n", f"image: {image}\n")
    with step("Applying the manifests"):
        kubectl.run("apply", "--filename=-", text=manifests)
    wait_until_ready(kubectl, NAMESPACE, seconds=seconds)
    say(f"\nMyThoughts is ready after {time.monotonic() - started:.1f} s.\n")


def redeploy(kubectl: Kubectl, service: Service, delivery: Delivery, *, seconds: int) -> None:
    """Build one service's image and replace the service's pods with pods of that image.

    Raises Failure if these are not ready after `seconds`; the old pods keep serving.
    """
    started = time.monotonic()
    deployment = kubectl.deployment(service.workload)
    check_images([deployment])
    image = delivery.deliver([service])[service.image]
    containers = containers_of(deployment["spec"]["template"]["spec"], service)
    changes = [f"{container['name']}={image}" for container in containers]
    name = f"deployment/{service.workload}"
    kubectl.run("set", "image", name, *changes, "--namespace", NAMESPACE)
    try:
        wait_until_ready(kubectl, NAMESPACE, seconds=seconds, only=service.workload)
    except (Failure, KeyboardInterrupt) as error:
        why = str(error) or "Stopped waiting."
        raise Failure(messages.old_pods_serve(why, kubectl, service)) from error
    say(f"\n{service.workload} runs {image} after {time.monotonic() - started:.1f} s.")
    with suppress(Failure):  # The next run deletes them.
        delivery.remove_old(service, needed=_images_to_go_back_to(kubectl, service))


def _images_to_go_back_to(kubectl: Kubectl, service: Service) -> set[str]:
    """The images of the pods that run, and of those that `kubectl rollout undo` can bring back."""
    selector = f"--selector=app.kubernetes.io/name={service.workload}"
    return {
        container["image"]
        for found in kubectl.get("replicasets", selector)
        for container in found["spec"]["template"]["spec"]["containers"]
    }
