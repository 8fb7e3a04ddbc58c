"""Building the images, and loading them from this machine's Docker into a cluster."""

import shlex
import subprocess
from collections.abc import Callable, Mapping, Sequence

from deploy.cluster_tools import cluster_of
from tooling.commands import failed, require, run
from tooling.failures import Failure
from tooling.project import Service

_ID_CHARACTERS = 12

# Contexts of clusters that use this Docker's images directly.
SHARED_WITH_DOCKER = ("docker-desktop",)

# Called with the names of images.
Loader = Callable[[Sequence[str]], None]


def build(services: Sequence[Service]) -> dict[str, str]:
    """Build the images; returns, by the name in the manifests, a name that identifies the content.

    The latter has part of the image's id in its tag, `mythoughts/frontend:1.0.0-0123456789ab`,
    so that a cluster replaces only the pods whose image has changed.
    """
    run("make", "images", f"SERVICE={' '.join(service.workload for service in services)}")
    return {service.image: _tag_by_id(service.image) for service in services}


def _tag_by_id(image: str) -> str:
    digest = run("docker", "image", "inspect", "--format", "{{.Id}}", image).strip()
    tagged = f"{image}-{digest.removeprefix('sha256:')[:_ID_CHARACTERS]}"
    run("docker", "image", "tag", image, tagged)
    return tagged


def loader_for(context: str, environment: Mapping[str, str]) -> Loader:
    """How to load images into the cluster; raises Failure if the user has to specify it."""
    if command := shlex.split(environment.get("IMAGE_LOADER") or ""):
        return _nothing_to_load if command == ["none"] else lambda images: _pipe(images, command)
    if cluster := cluster_of(context):
        return cluster.load
    if context in SHARED_WITH_DOCKER:
        return _nothing_to_load
    raise Failure(
        f"It is not clear from the context {context} how to load images into its cluster. Name a "
        "command that reads the output of `docker image save`, such as\n"
        "    IMAGE_LOADER='sudo k3s ctr images import -'\n"
        "or set IMAGE_LOADER=none if the cluster uses this Docker's images directly."
    )


def _nothing_to_load(_: Sequence[str]) -> None:
    """The cluster uses this machine's Docker images directly."""


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
