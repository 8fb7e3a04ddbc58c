"""Building the images, and getting them from this machine's Docker into a cluster."""

import shlex
from collections.abc import Callable, Mapping, Sequence

from deploy.cluster_tools import cluster_of
from deploy.failures import DeployError
from deploy.programs import run, run_joined
from deploy.services import Service

_ID_CHARACTERS = 12

# Contexts of clusters that run the images of this Docker.
SHARED_WITH_DOCKER = ("docker-desktop",)

# Takes names of images.
Loader = Callable[[Sequence[str]], None]


def build(services: Sequence[Service]) -> dict[str, str]:
    """Build the images; the name in the manifests leads to one that tells what is in it.

    The latter has a part of the image's id in its tag, `mythoughts/frontend:1.0.0-0123456789ab`,
    so that a cluster replaces the pods of an image that is another, and only these.
    """
    run("make", "images", f"SERVICE={' '.join(service.name for service in services)}")
    return {service.image: _tag_by_id(service.image) for service in services}


def _tag_by_id(image: str) -> str:
    digest = run("docker", "image", "inspect", "--format", "{{.Id}}", image).strip()
    tagged = f"{image}-{digest.removeprefix('sha256:')[:_ID_CHARACTERS]}"
    run("docker", "image", "tag", image, tagged)
    return tagged


def loader_for(context: str, environment: Mapping[str, str]) -> Loader:
    """How images get into the cluster; raises DeployError when that has to be told."""
    if command := shlex.split(environment.get("IMAGE_LOADER") or ""):
        if command == ["none"]:
            return _nothing_to_load
        return lambda images: run_joined(["docker", "image", "save", *images], command)
    if cluster := cluster_of(context):
        return cluster.load
    if context in SHARED_WITH_DOCKER:
        return _nothing_to_load
    raise DeployError(
        f"The context {context} does not tell how images get into its cluster. Name a command that "
        "reads what `docker image save` writes, such as\n"
        "    IMAGE_LOADER='sudo k3s ctr images import -'\n"
        "or give IMAGE_LOADER=none, if the cluster uses the images of this Docker."
    )


def _nothing_to_load(_: Sequence[str]) -> None:
    """The cluster has the images of this machine's Docker."""
