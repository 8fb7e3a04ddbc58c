"""Applying what is deployed already."""

import os

from deploy.kubectl import INGRESS_CONTROLLER, Kubectl
from deploy.overlays import LOCAL
from testkit.kubernetes import Cluster
from tooling.project import ROOT


def test_applying_unchanged_files_changes_nothing(cluster: Cluster) -> None:
    """Every object of the overlay and of the ingress controller is reported as unchanged."""
    kubectl = Kubectl(os.environ["MYTHOUGHTS_CONTEXT"])
    for folder in (LOCAL.folder, ROOT / INGRESS_CONTROLLER):
        kubectl.run("apply", "--kustomize", str(folder))

        lines = kubectl.run("apply", "--kustomize", str(folder)).splitlines()

        assert lines
        assert [line for line in lines if not line.endswith(" unchanged")] == []
    for service in ("thoughts", "users", "frontend"):
        cluster.wait_for_rollout(service)
