"""Changed files, copied into a running container as Skaffold and Tilt do it (`overlays/sync`)."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from testkit.docker import IMAGES, docker
from testkit.http_client import HttpClient
from testkit.manifest_objects import named
from testkit.manifests import KUBERNETES, Manifests
from testkit.token_maker import TokenMaker
from testkit.waiting import wait_until
from tooling.project import FRONTEND, ROOT
from tooling.readiness import is_ready

(ARTIFACT,) = [
    artifact
    for artifact in yaml.safe_load((ROOT / "skaffold.yaml").read_text())["build"]["artifacts"]
    if artifact["image"] == FRONTEND.repository
]
(IMAGE,) = [image for image in IMAGES if image.service is FRONTEND]
TEMPLATE = Path(FRONTEND.package, "templates", "login.html")
DEVELOPMENT = ROOT / KUBERNETES / "components" / "dev"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The template of the Frontend's pods in the overlay."""
    manifests = Manifests(tmp_path_factory.mktemp("manifests"))
    deployment = named(manifests.render("sync"), "Deployment", "frontend")
    spec: dict[str, Any] = deployment["spec"]["template"]["spec"]
    return spec


@pytest.fixture
def container(template: dict[str, Any], tmp_path: Path) -> Iterator[str]:
    """A container that runs what a pod of the overlay runs, its first init container included."""
    keys = TokenMaker(tmp_path).public_path
    tmp_path.chmod(0o755)
    (copy, *_), (service,) = template["initContainers"], template["containers"]
    script = f"({copy['command'][-1]})\nexec {' '.join(service['command'])}"
    settings = (
        "THOUGHTS_BACKEND_URL=http://thoughts.invalid",
        "USERS_BACKEND_URL=http://users.invalid",
        f"TOKEN_PUBLIC_KEYS_PATH=/{keys.name}",
    )
    container = docker(
        "run",
        "--detach",
        "--read-only",
        "--tmpfs=/source:mode=1777",
        "--tmpfs=/tmp",
        "--publish=127.0.0.1::8000",
        f"--volume={DEVELOPMENT}:/development:ro",
        f"--volume={keys}:/{keys.name}:ro",
        *(f"--env={setting}" for setting in settings),
        "--entrypoint=sh",
        IMAGE.reference,
        "-ec",
        script,
    ).strip()
    yield container
    docker("rm", "--force", container)


def client_of(container: str) -> HttpClient:
    """A client of the service, once it is ready."""
    url = f"http://{docker('port', container, '8000').strip()}"
    wait_until(lambda: is_ready(f"{url}/healthz"), what=lambda: docker("logs", container))
    return HttpClient(url)


def copy_into(container: str, folder: Path) -> None:
    """Copy the files of a folder to where skaffold.yaml says, by tar, and run its hook."""
    (rule,) = [r for r in ARTIFACT["sync"]["manual"] if r["strip"].startswith("services/")]
    (hook,) = ARTIFACT["sync"]["hooks"]["after"]
    archive = subprocess.run(
        ["tar", "--create", "--directory", folder, "."], capture_output=True, check=True
    )
    unpack = ("tar", "--extract", "--touch", "--no-same-owner", "--file=-", "-C", rule["dest"])
    command = ["docker", "exec", "--interactive", container, *unpack]
    subprocess.run(command, input=archive.stdout, check=True)
    assert docker("exec", container, *hook["container"]["command"]).strip() == "ready"


def test_copied_file_is_live(container: str, tmp_path: Path) -> None:
    """A changed template shows on the page, and all other files are as in the image."""
    http = client_of(container)
    source = FRONTEND.folder / "src" / TEMPLATE
    changed = tmp_path / "changed" / TEMPLATE
    changed.parent.mkdir(parents=True)
    changed.write_text(
        source.read_text().replace("{% block content %}", "{% block content %}<p>A change.</p>")
    )
    assert "A change." not in http.get("/login/").text

    copy_into(container, tmp_path / "changed")

    # The old process finishes what it has accepted.
    wait_until(lambda: "<p>A change.</p>" in http.get("/login/").text, what="the change is live")
