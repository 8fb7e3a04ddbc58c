"""Reads rendered objects."""

from collections.abc import Iterable, Iterator
from typing import Any

from testkit.manifests import Manifest

# Images and settings of the three services, by the name of their Deployment and container.
SERVICES = {
    "thoughts-backend": "thoughts_backend",
    "users-backend": "users_backend",
    "frontend": "frontend",
}


def of_kind(objects: Iterable[Manifest], *kinds: str) -> list[Manifest]:
    """The objects of these kinds."""
    return [manifest for manifest in objects if manifest["kind"] in kinds]


def named(objects: Iterable[Manifest], kind: str, name: str) -> Manifest:
    """The object of this kind and name; fails if there is not exactly one."""
    (manifest,) = [o for o in of_kind(objects, kind) if o["metadata"]["name"] == name]
    return manifest


def pods(objects: Iterable[Manifest]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The owner's name and the pod template of everything that has pods."""
    for manifest in objects:
        name = manifest["metadata"]["name"]
        if manifest["kind"] in ("Deployment", "StatefulSet", "Job"):
            yield name, manifest["spec"]["template"]
        elif manifest["kind"] == "CronJob":
            yield name, manifest["spec"]["jobTemplate"]["spec"]["template"]


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    """Every container of a pod, including its init containers."""
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


def all_containers(objects: Iterable[Manifest]) -> list[tuple[str, dict[str, Any]]]:
    """Every container, with the name of its pod's owner."""
    return [(name, container) for name, pod in pods(objects) for container in containers(pod)]


def environment(container: dict[str, Any]) -> dict[str, Any]:
    """The container's variables; the value is None if it comes from elsewhere."""
    return {variable["name"]: variable.get("value") for variable in container.get("env", [])}


def paths_of(ingress: Manifest) -> set[tuple[str, str]]:
    """The type and text of each path that an Ingress serves, for all its hosts."""
    return {
        (path["pathType"], path["path"])
        for rule in ingress["spec"]["rules"]
        for path in rule["http"]["paths"]
    }
