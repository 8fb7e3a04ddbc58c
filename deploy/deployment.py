"""Deploying an overlay to a cluster, or one service's new image."""

import time
from collections.abc import Mapping

from deploy import messages
from deploy.addresses import WAIT_SECONDS, reachable
from deploy.images import Delivery
from deploy.kubectl import NAMESPACE, Kubectl
from deploy.overlays import LOCAL, Overlay
from deploy.rollout import wait_seconds, wait_until_ready
from tooling.console import say, step
from tooling.failures import Failure
from tooling.project import SERVICES, Service


def deploy(
    kubectl: Kubectl, overlay: Overlay, delivery: Delivery | None, environment: Mapping[str, str]
) -> None:
    """Apply the overlay, wait until it is ready, and print the addresses. Raises Failure."""
    apply_overlay(kubectl, overlay, delivery, environment)
    if overlay.is_local:
        seconds = min(wait_seconds(environment), WAIT_SECONDS)
        found = reachable(kubectl, environment, seconds=seconds)
        say(messages.addresses(found, kubectl))
        say(messages.how_to_go_on(overlay))


def prepare(kubectl: Kubectl, delivery: Delivery, environment: Mapping[str, str]) -> None:
    """Leave in the cluster all that the services' own files need, but not the services.

    The overlay `local` is applied as a whole, which loads the demonstration data; then the objects
    in the files that the reader of docs/chapter.md applies are deleted. Raises Failure.
    """
    apply_overlay(kubectl, LOCAL, delivery, environment)
    names = ",".join(service.workload for service in SERVICES)
    selector = f"--selector=app.kubernetes.io/name in ({names})"
    with step("Deleting the three services"):
        kubectl.run("delete", "deployments,services,ingresses", selector, "--namespace", NAMESPACE)
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
    manifests = kubectl.run("kustomize", str(overlay.folder))
    if delivery is not None:
        with step("Building the images"):
            images = delivery.build(SERVICES)
        with step("Bringing them to the cluster"):
            delivery.bring_builds(images)
        for name, image in images.items():
            pulled = delivery.name_in_cluster(image)
            manifests = manifests.replace(f"image: {name}\n", f"image: {pulled}\n")
    with step("Applying the manifests"):
        kubectl.run("apply", "--filename=-", text=manifests)
    wait_until_ready(kubectl, NAMESPACE, seconds=seconds)
    say(f"\nMyThoughts is ready after {time.monotonic() - started:.1f} s.\n")


def redeploy(kubectl: Kubectl, service: Service, delivery: Delivery, *, seconds: int) -> None:
    """Build one service's image and replace the service's pods with pods of that image.

    Raises Failure if these are not ready after `seconds`; the old pods keep serving.
    """
    started = time.monotonic()
    deployment = f"deployment/{service.workload}"
    (pods,) = [found["spec"]["template"]["spec"] for found in kubectl.get(deployment)]
    with step(f"Building {service.image}"):
        images = delivery.build([service])
        image = images[service.image]
    with step("Bringing it to the cluster"):
        delivery.bring_builds(images)
    # The init containers run the same program, for example to migrate the database.
    changes = [
        f"{container['name']}={delivery.name_in_cluster(image)}"
        for container in (*pods.get("initContainers", []), *pods["containers"])
        if service.repository in container["image"]
    ]
    kubectl.run("set", "image", deployment, *changes, "--namespace", NAMESPACE)
    try:
        wait_until_ready(kubectl, NAMESPACE, seconds=seconds, only=service.workload)
    except (Failure, KeyboardInterrupt) as error:
        why = str(error) or "Stopped waiting."
        raise Failure(messages.old_pods_serve(why, kubectl, service)) from error
    say(f"\n{service.workload} runs {image} after {time.monotonic() - started:.1f} s.")
    delivery.remove_old(service, needed=_images_to_go_back_to(kubectl, service))


def _images_to_go_back_to(kubectl: Kubectl, service: Service) -> set[str]:
    """The images of the pods that run, and of those that `kubectl rollout undo` can bring back."""
    selector = f"--selector=app.kubernetes.io/name={service.workload}"
    return {
        container["image"]
        for found in kubectl.get("replicasets", selector)
        for container in found["spec"]["template"]["spec"]["containers"]
    }
