"""Building the images, bringing them to a cluster, and deleting those that it no longer needs.

A cluster for development may announce a registry. kind's and k3d's ways to set one up leave a
ConfigMap `local-registry-hosting` in `kube-public` (KEP-1755), whose `localRegistryHosting.v1` is
YAML:

    host: "localhost:5001"
    hostFromContainerRuntime: "registry:5000"
"""

import re
import shlex
import subprocess
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from deploy.cluster_tools import cluster_of
from deploy.kubectl import Kubectl
from tooling.commands import failed, require, run
from tooling.console import step
from tooling.failures import Failure
from tooling.project import Service

_ID_CHARACTERS = 12

_HOSTS = re.compile(r"""^(host|hostFromContainerRuntime): *["']?([^"'\s]+)""", re.MULTILINE)

# Contexts of clusters that use this Docker's images directly.
SHARED_WITH_DOCKER = ("docker-desktop",)

# Called with the names of images.
Action = Callable[[Sequence[str]], None]


def _nothing_to_do(_: Sequence[str]) -> None:
    """The cluster uses this machine's Docker images, or deletes unused images by itself."""


@dataclass(frozen=True, slots=True)
class Registry:
    """A registry, as this machine names it, and as the cluster's nodes do if differently."""

    host: str
    host_in_cluster: str = ""

    def name_in_cluster(self, image: str) -> str:
        """The name by which nodes pull an image that was pushed from here."""
        return image.replace(self.host, self.host_in_cluster or self.host, 1)


@dataclass(frozen=True, slots=True)
class Delivery:
    """How images get from this machine's Docker to a cluster, by their names.

    `bring` copies images to the cluster, or pushes them to its `registry`; it raises Failure.
    `remove` deletes them there.
    """

    bring: Action = _nothing_to_do
    remove: Action = _nothing_to_do
    registry: Registry | None = None

    def deliver(self, services: Sequence[Service]) -> dict[str, str]:
        """Build images and bring them to the cluster; raises Failure.

        Returns, by the name in the manifests, the cluster's name of exactly this content. The
        latter has part of the image's id in its tag, `mythoughts/frontend:1.0.0-0123456789ab`, so
        that a cluster replaces only the pods whose image has changed.
        """
        what = services[0].image if len(services) == 1 else "the images"
        with step(f"Building {what}"):
            run("make", "images", f"SERVICE={' '.join(service.workload for service in services)}")
            builds = {service.image: self._tag_by_id(service.image) for service in services}
        with step(f"Bringing {what} to the cluster"):
            # Also by the names in the manifests, so that `kubectl apply -k` finds the images; only
            # a registry serves no names but its own.
            self.bring([*builds.values(), *(builds if self.registry is None else ())])
        return {name: self._name_in_cluster(build) for name, build in builds.items()}

    def remove_old(self, service: Service, *, needed: Collection[str]) -> None:
        """Delete the builds of a service that are not needed, in Docker and in the cluster."""
        name, _, version = self._name_here(service.image).rpartition(":")
        tags = run("docker", "image", "ls", "--format", "{{.Tag}}", name).split()
        builds = [f"{name}:{tag}" for tag in tags if tag.startswith(f"{version}-")]
        for image in builds:
            if self._name_in_cluster(image) not in needed:
                # Docker keeps what a container uses, and a node may have deleted its copy already.
                for remove in (_remove_from_docker, self.remove):
                    with suppress(Failure):
                        remove([image])

    def _tag_by_id(self, image: str) -> str:
        digest = run("docker", "image", "inspect", "--format", "{{.Id}}", image).strip()
        tagged = f"{self._name_here(image)}-{digest.removeprefix('sha256:')[:_ID_CHARACTERS]}"
        run("docker", "image", "tag", image, tagged)
        return tagged

    def _name_in_cluster(self, image: str) -> str:
        return image if self.registry is None else self.registry.name_in_cluster(image)

    def _name_here(self, image: str) -> str:
        return image if self.registry is None else f"{self.registry.host}/{image}"


def delivery_to(
    kubectl: Kubectl, environment: Mapping[str, str], *, by_registry: bool = True
) -> Delivery:
    """How to bring images to the cluster; raises Failure if the user has to specify it.

    `by_registry` says whether they may go to a registry, which gives them other names.
    """
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
    registry_or_command = (
        "a registry that this machine pushes to and the cluster pulls from, such as\n"
        "    REGISTRY=localhost:5001\n"
        "or a command"
    )
    raise Failure(
        f"It is not clear from the context {kubectl.context} how to bring images to its cluster. "
        f"Name {registry_or_command if by_registry else 'a command'} that reads the output of "
        "`docker image save`, such as\n"
        "    IMAGE_LOADER='sudo k3s ctr images import -'\n"
        "or set IMAGE_LOADER=none if the cluster uses this Docker's images directly."
    )


def _registry_of(kubectl: Kubectl, environment: Mapping[str, str]) -> Registry | None:
    host = environment.get("REGISTRY")
    return Registry(host) if host else _announced_registry(kubectl)


def _announced_registry(kubectl: Kubectl) -> Registry | None:
    """The registry that the cluster announces, or None."""
    text = kubectl.run(
        "get",
        "configmap/local-registry-hosting",
        "--namespace=kube-public",
        "--ignore-not-found",
        "--output=jsonpath={.data.localRegistryHosting\\.v1}",
    )
    hosts = dict(_HOSTS.findall(text))
    if "host" not in hosts:
        return None
    return Registry(hosts["host"], hosts.get("hostFromContainerRuntime", ""))


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
