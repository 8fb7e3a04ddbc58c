"""The manifests are valid for Kubernetes."""

import json
import re
from collections import Counter
from functools import cache

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from testkit.manifest_objects import SERVICES, all_containers, of_kind, pods
from testkit.manifests import Manifest, Manifests
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


@pytest.mark.parametrize("variant", ["local", "production+cloudnative-pg"])
def test_both_databases_are_alike(manifests: Manifests, variant: str) -> None:
    """The users' database differs from the thoughts' only in the name, wherever this occurs."""
    kinds = ("StatefulSet", "Cluster", "ScheduledBackup", "Service", "NetworkPolicy")
    objects = [o for o in of_kind(manifests.render(variant), *kinds) if "database" in _name(o)]
    thoughts = {json.dumps(o) for o in objects if _name(o).startswith("thoughts-")}
    users = {json.dumps(o) for o in objects if _name(o).startswith("users-")}

    assert len(users) >= 3
    assert {re.sub(r"\bthoughts", "users", text) for text in thoughts} == users


def _name(manifest: Manifest) -> str:
    return str(manifest["metadata"]["name"])


@cache
def _validate(manifest: str, version: str) -> None:
    """Raise an error unless the object is valid; most objects occur in several variants."""
    kubernetes_validate.validate(json.loads(manifest), version, strict=True)


@pytest.mark.parametrize("service", SERVICES.values())
def test_files_of_a_service_name_their_namespace(service: str) -> None:
    """Applied one by one, without an overlay, they reach the namespace `example`."""
    folder = ROOT / "services" / service / "kubernetes"
    files = set(folder.glob("*.yaml")) - {folder / "kustomization.yaml"}

    assert len(files) == 4
    for file in files:
        for manifest in yaml.safe_load_all(file.read_text()):
            assert manifest["metadata"]["namespace"] == "example"


def test_ports_of_policies_name_their_protocol(rendered: tuple[Manifest, ...]) -> None:
    """Kubernetes adds TCP, and kubectl then reports an unchanged policy as configured."""
    for policy in of_kind(rendered, "NetworkPolicy"):
        for rule in (*policy["spec"].get("ingress", []), *policy["spec"].get("egress", [])):
            assert all("protocol" in port for port in rule.get("ports", []))


def test_claims_of_stateful_sets_are_written_out(local: tuple[Manifest, ...]) -> None:
    """With all defaults, without which kubectl reports an unchanged StatefulSet as configured."""
    for server in of_kind(local, "StatefulSet"):
        (claim,) = server["spec"]["volumeClaimTemplates"]
        assert (claim["apiVersion"], claim["kind"]) == ("v1", "PersistentVolumeClaim")
        assert claim["spec"]["volumeMode"] == "Filesystem"
        assert claim["status"] == {"phase": "Pending"}
