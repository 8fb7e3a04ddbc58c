"""The manifests are valid for Kubernetes."""

import json
from collections import Counter
from functools import cache

import kubernetes_validate  # type: ignore[import-untyped]
import pytest

from testkit.manifest_objects import SERVICES, all_containers, of_kind, pods
from testkit.manifests import KUBERNETES, Manifest
from tooling.project import ROOT

OLDEST = "1.32"
# Kinds defined by an operator: Kubernetes itself has no schema for them.
FOREIGN_GROUPS = {
    "barmancloud.cnpg.io",
    "gateway.networking.k8s.io",
    "monitoring.coreos.com",
    "postgresql.cnpg.io",
    "traefik.io",
}


@pytest.mark.parametrize("version", [OLDEST, kubernetes_validate.latest_version()])
def test_every_object_fits_the_schema(rendered: tuple[Manifest, ...], version: str) -> None:
    """Strictly, without unknown fields, in the oldest and the newest version of Kubernetes."""
    for manifest in rendered:
        if manifest["apiVersion"].partition("/")[0] not in FOREIGN_GROUPS:
            _validate(json.dumps(manifest), version)


def test_no_object_is_there_twice(rendered: tuple[Manifest, ...]) -> None:
    """Kind, namespace and name identify an object."""
    names = Counter(
        (o["kind"], o["metadata"].get("namespace"), o["metadata"]["name"]) for o in rendered
    )

    assert [name for name, count in names.items() if count > 1] == []


def test_selectors_select_the_own_pods(rendered: tuple[Manifest, ...]) -> None:
    """Services, budgets and workloads name labels that pods of these manifests have."""
    labels = [pod["metadata"]["labels"].items() for _, pod in pods(rendered)]

    for manifest in of_kind(rendered, "Service", "PodDisruptionBudget", "Deployment"):
        selector = manifest["spec"]["selector"]
        wanted = selector.get("matchLabels", selector).items()
        assert any(wanted <= own for own in labels), manifest["metadata"]["name"]


def test_images_are_those_of_the_services_versions(rendered: tuple[Manifest, ...]) -> None:
    """The tag of an image is the version in the pyproject.toml of its service."""
    for _, container in all_containers(rendered):
        name, _, tag = container["image"].rpartition(":")
        service = name.rpartition("/")[2]
        if "mythoughts" in name:
            project = (ROOT / "services" / SERVICES[service] / "pyproject.toml").read_text()
            assert f'\nversion = "{tag}"\n' in project


def test_images_have_a_version(rendered: tuple[Manifest, ...]) -> None:
    """No image is `latest`, which may be a different one tomorrow."""
    tags = {c["image"].partition(":")[2] for _, c in all_containers(rendered)}

    assert tags.isdisjoint({"", "latest"})


@pytest.mark.parametrize("component", ["databases", "cloudnative-pg"])
def test_both_databases_are_alike(component: str) -> None:
    """The users' database differs from the thoughts' only in the name."""
    folder = ROOT / KUBERNETES / "components" / component
    _, _, thoughts = (folder / "thoughts-database.yaml").read_text().partition("\n")
    _, _, users = (folder / "users-database.yaml").read_text().partition("\n")

    assert thoughts.replace("thoughts", "users") == users


@cache
def _validate(manifest: str, version: str) -> None:
    """Raise an error unless the object is valid; most objects occur in several variants."""
    kubernetes_validate.validate(json.loads(manifest), version, strict=True)
