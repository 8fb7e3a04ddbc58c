"""Building the images, bringing them to a cluster, and deleting those that it no longer needs."""

import shlex
import subprocess
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from deploy.cluster_tools import cluster_of
from deploy.kubectl import Kubectl
from deploy.registries import Registry, announced_registry
from tooling.commands import failed, require, run
from tooling.failures import Failure
from tooling.project import Service

_ID_CHARACTERS = 12

# Contexts of clusters that use this Docker's images directly.
SHARED_WITH_DOCKER = ("docker-desktop",)

# Called with the names of images.
Action = Callable[[Sequence[str]], None]


def _nothing_to_do(_: Sequence[str]) -> None:
    """The cluster uses this machine's Docker images, or deletes unused images by itself."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How images get from this machine's Docker to a cluster, by their names.

    `bring` copies images to the cluster, or pushes them to its `registry`; it raises Failure.
    `remove` deletes them there.
    """

    bring: Action = _nothing_to_do
    remove: Action = _nothing_to_do
    registry: Registry | None = None

    def build(self, services: Sequence[Service]) -> dict[str, str]:
        """Build the images; returns, by the name in the manifests, a name of exactly this content.

        The latter has part of the image's id in its tag, `mythoughts/frontend:1.0.0-0123456789ab`,
        so that a cluster replaces only the pods whose image has changed.
        """
        run("make", "images", f"SERVICE={' '.join(service.workload for service in services)}")
        return {service.image: self._tag_by_id(service.image) for service in services}

    def bring_builds(self, builds: Mapping[str, str]) -> None:
        """Bring what `build` returned to the cluster; raises Failure.

        Nodes also get the names in the manifests, so that `kubectl apply -k` finds the images. Only
        with a registry they do not: it serves no names but its own.
        """
        self.bring([*builds.values(), *(builds if self.registry is None else ())])

    def name_in_cluster(self, image: str) -> str:
        """The name under which the cluster has an image that was built here."""
        return image if self.registry is None else self.registry.name_in_cluster(image)

    def remove_old(self, service: Service, *, needed: Collection[str]) -> None:
        """Delete the builds of a service that are not needed, in Docker and in the cluster."""
        name, _, version = self._name_here(service.image).rpartition(":")
        tags = run("docker", "image", "ls", "--format", "{{.Tag}}", name).split()
        builds = [f"{name}:{tag}" for tag in tags if tag.startswith(f"{version}-")]
        for image in builds:
            if self.name_in_cluster(image) not in needed:
                # Docker keeps what a container uses, and a node may have deleted its copy already.
                for remove in (_remove_from_docker, self.remove):
                    with suppress(Failure):
                        remove([image])

    def _tag_by_id(self, image: str) -> str:
        digest = run("docker", "image", "inspect", "--format", "{{.Id}}", image).strip()
        tagged = f"{self._name_here(image)}-{digest.removeprefix('sha256:')[:_ID_CHARACTERS]}"
        run("docker", "image", "tag", image, tagged)
        return tagged

    def _name_here(self, image: str) -> str:
        return image if self.registry is None else f"{self.registry.host}/{image}"


def delivery_to(
    kubectl: Kubectl, environment: Mapping[str, str], *, by_registry: bool = True
) -> Delivery:
    """How to bring images to the cluster; raises Failure if the user has to specify it."""
    if command := shlex.split(environment.get("IMAGE_LOADER") or ""):
        if command == ["none"]:
            return Delivery()
        return Delivery(lambda images: _pipe(images, command))
    if by_registry and (registry := _registry_of(kubectl, environment)):
        return Delivery(_push, registry=registry)
    if cluster := cluster_of(kubectl.context):
        return Delivery(cluster.load, cluster.remove)
    if kubectl.context in SHARED_WITH_DOCKER:
        return Delivery()
    raise Failure(
        f"It is not clear from the context {kubectl.context} how to bring images to its cluster. "
        "Name a registry that this machine pushes to and the cluster pulls from, such as\n"
        "    REGISTRY=localhost:5001\n"
        "or a command that reads the output of `docker image save`, such as\n"
        "    IMAGE_LOADER='sudo k3s ctr images import -'\n"
        "or set IMAGE_LOADER=none if the cluster uses this Docker's images directly."
    )


def _registry_of(kubectl: Kubectl, environment: Mapping[str, str]) -> Registry | None:
    host = environment.get("REGISTRY")
    return Registry(host) if host else announced_registry(kubectl)


def _push(images: Sequence[str]) -> None:
    for image in images:
        run("docker", "image", "push", "--quiet", image)


def _remove_from_docker(images: Sequence[str]) -> None:
    run("docker", "image", "rm", *images)


def _pipe(images: Sequence[str], loader: Sequence[str]) -> None:
    """Run `docker image save` and the loader, which reads its output; raises Failure."""
    require(loader[0])
    saving = ["docker", "image", "save", *images]
    with subprocess.Popen(saving, stdout=subprocess.PIPE) as docker:
        loaded = subprocess.run(
            loader,
            stdin=docker.stdout,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    # The loader's error is reported first: if it ends early, docker cannot continue.
    if loaded.returncode:
        raise failed(loader, loaded.stderr)
    if docker.returncode:
        raise failed(saving, "Its error is shown above.")
