"""docs/chapter.md: what its commands apply and name exists, without a cluster.

tests/cluster/test_chapter.py runs the commands.
"""

import re

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from testkit.chapter import COMMANDS
from tooling.project import ROOT

APPLIED = [file for line in COMMANDS for file in re.findall(r"apply .*-f (\S+)", line)]
# The order of the chapter, for each service.
FILES = ("deployment.yaml", "service.yaml", "ingress.yaml")
SERVICES = ("thoughts_backend", "users_backend", "frontend")


def test_files_are_applied_in_the_order_of_the_chapter() -> None:
    """Service after service, and of each the Deployment, the Service and the Ingress."""
    wanted = [f"services/{service}/kubernetes/{file}" for service in SERVICES for file in FILES]

    assert wanted == APPLIED


def test_namespace_comes_first_and_everything_is_in_it() -> None:
    """Each command about an object in a namespace names `example`, once that is created."""
    commands = [line for line in COMMANDS if line.startswith("kubectl ")]
    of_a_namespace = [line for line in commands[2:] if " -k " not in line]

    assert commands[0] == "kubectl create namespace example"
    assert of_a_namespace
    assert [line for line in of_a_namespace if " -n example" not in line] == []


@pytest.mark.parametrize("file", APPLIED)
def test_files_can_be_applied_as_they_are(file: str) -> None:
    """Each holds one complete object, in the namespace that the command names."""
    (manifest,) = yaml.safe_load_all((ROOT / file).read_text())

    kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)
    assert manifest["metadata"]["namespace"] == "example"


def test_names_are_those_of_the_chapter() -> None:
    """Deployments, Services and Ingresses have the names that the reader sees in the book."""
    manifests = [yaml.safe_load((ROOT / file).read_text()) for file in APPLIED]

    assert {(m["kind"], m["metadata"]["name"]) for m in manifests} == {
        ("Deployment", "thoughts-backend"),
        ("Deployment", "users-backend"),
        ("Deployment", "frontend"),
        ("Service", "thoughts-service"),
        ("Service", "users-service"),
        ("Service", "frontend-service"),
        ("Ingress", "thoughts-backend-ingress"),
        ("Ingress", "users-backend-ingress"),
        ("Ingress", "frontend-ingress"),
    }
