"""Applying what is deployed already."""

import json
import os
from pathlib import Path

from deploy.kubectl import INGRESS_CONTROLLER, Kubectl
from deploy.overlays import LOCAL
from testkit.kubernetes import DEPLOYMENTS, Cluster
from tooling.project import ROOT


def test_applying_unchanged_files_changes_nothing(cluster: Cluster, tmp_path: Path) -> None:
    """Every object of the overlay and of the ingress controller is reported as unchanged."""
    kubectl = Kubectl(os.environ["MYTHOUGHTS_CONTEXT"])
    for folder in (with_images_of(cluster, tmp_path), ROOT / INGRESS_CONTROLLER):
        kubectl.run("apply", "--kustomize", str(folder))

        lines = kubectl.run("apply", "--kustomize", str(folder)).splitlines()

        assert lines
        assert [line for line in lines if not line.endswith(" unchanged")] == []
    for service in DEPLOYMENTS:
        cluster.wait_for_rollout(service)


def with_images_of(cluster: Cluster, folder: Path) -> Path:
    """A folder with the overlay, and the images that the cluster runs: it may not have others."""
    images = []
    for service, deployment in DEPLOYMENTS.items():
        (container,) = cluster.template_of(service)["spec"]["containers"]
        name, _, tag = container["image"].rpartition(":")
        images.append({"name": f"mythoughts/{deployment}", "newName": name, "newTag": tag})
    # Kustomize takes other overlays only by relative paths.
    overlay = os.path.relpath(LOCAL.folder, folder.resolve())
    (folder / "kustomization.yaml").write_text(
        json.dumps({"resources": [overlay], "images": images})
    )
    return folder
