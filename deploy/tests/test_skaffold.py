"""skaffold.yaml, for those who use Skaffold."""

import yaml

from deploy.overlays import LOCAL
from tooling.project import ROOT, SERVICES

SKAFFOLD = yaml.safe_load((ROOT / "skaffold.yaml").read_text())


def test_skaffold_builds_every_image() -> None:
    """Each image in the manifests is built from its service's Dockerfile."""
    built = {
        artifact["image"]: artifact["docker"]["dockerfile"]
        for artifact in SKAFFOLD["build"]["artifacts"]
    }

    assert built == {
        service.image.partition(":")[0]: f"services/{service.package}/Dockerfile"
        for service in SERVICES
    }
    assert all((ROOT / dockerfile).exists() for dockerfile in built.values())


def test_skaffold_deploys_the_local_overlay() -> None:
    """It deploys the same objects as `make deploy`."""
    paths = [ROOT / path for path in SKAFFOLD["manifests"]["kustomize"]["paths"]]

    assert paths == [LOCAL.folder]
