"""skaffold.yaml and the Tiltfile, for those who use these tools."""

from typing import Any

import pytest
import yaml

from deploy.overlays import LOCAL
from tooling.project import ROOT, SERVICES, Service

SKAFFOLD = yaml.safe_load((ROOT / "skaffold.yaml").read_text())
SYNC = "deploy/kubernetes/overlays/sync"
RESTART = "python /development/supervisor.py restart /source"
# Where the pods of `overlays/sync` have the code that they run.
CHASSIS, SERVICE = ("chassis/src", "/source/current/chassis"), "/source/current/service"


class Tilt:
    """What the Tiltfile calls, and the arguments of the calls."""

    def __init__(self) -> None:
        self.overlays: list[str] = []
        self.builds: dict[str, dict[str, Any]] = {}
        functions = {
            "kustomize": str,
            "k8s_yaml": self.overlays.append,
            "docker_build": lambda image, _, **options: self.builds.update({image: options}),
            "sync": lambda source, target: (source, target),
            "run": str,
        }
        # The language of Tilt is a part of Python, of which the file uses nothing else.
        exec((ROOT / "Tiltfile").read_text(), functions)  # noqa: S102


@pytest.fixture(params=SERVICES, ids=lambda service: service.name)
def service(request: pytest.FixtureRequest) -> Service:
    """Each of the three services."""
    service: Service = request.param
    return service


def artifact(service: Service) -> dict[str, Any]:
    """How Skaffold builds the image of a service."""
    (found,) = [a for a in SKAFFOLD["build"]["artifacts"] if a["image"] == service.repository]
    return dict(found)


def code_of(service: Service) -> set[tuple[str, str]]:
    """From where to where the code of a service is copied."""
    return {CHASSIS, (f"services/{service.package}/src", SERVICE)}


def test_skaffold_builds_every_image(service: Service) -> None:
    """Each image in the manifests is built from its service's Dockerfile."""
    dockerfile = artifact(service)["docker"]["dockerfile"]

    assert dockerfile == f"services/{service.package}/Dockerfile"
    assert (ROOT / dockerfile).exists()


def test_skaffold_copies_the_code(service: Service) -> None:
    """Changed files of the service and the chassis replace those in its pods."""
    rules = artifact(service)["sync"]["manual"]

    assert {(rule["strip"].rstrip("/"), rule["dest"]) for rule in rules} == code_of(service)
    assert all(rule["src"] == f"{rule['strip']}**/*" for rule in rules)
    assert all((ROOT / rule["strip"]).is_dir() for rule in rules)


def test_skaffold_restarts_the_service(service: Service) -> None:
    """After that, the service starts again from them."""
    (hook,) = artifact(service)["sync"]["hooks"]["after"]

    assert " ".join(hook["container"]["command"]) == RESTART


def test_skaffold_deploys_the_local_overlay() -> None:
    """It deploys the same objects as `make deploy`, and for `skaffold dev` the overlay `sync`."""
    (profile,) = SKAFFOLD["profiles"]

    assert SKAFFOLD["manifests"]["kustomize"]["paths"] == [str(LOCAL.folder.relative_to(ROOT))]
    assert profile["activation"] == [{"command": "dev"}]
    assert profile["manifests"]["kustomize"]["paths"] == [SYNC]


def test_tilt_does_the_same(service: Service) -> None:
    """Tilt deploys this overlay, builds the same images and copies the same files."""
    tilt = Tilt()

    build = tilt.builds[service.repository]
    *copies, restart = build["live_update"]
    assert tilt.overlays == [SYNC]
    assert build["dockerfile"] == artifact(service)["docker"]["dockerfile"]
    assert (set(copies), restart) == (code_of(service), RESTART)
    assert all((ROOT / path).exists() for path in build["only"])
