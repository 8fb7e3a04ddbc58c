"""Images in a registry: what a release names by digests, and what a change of code transfers."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.ports import free_port
from testkit.docker import IMAGES, docker, inspected
from testkit.manifest_objects import all_containers
from testkit.manifests import Manifests
from testkit.waiting import wait_until
from tooling.project import FRONTEND, ROOT
from tooling.readiness import is_ready

NAMER = Path("deploy", "name-released-images.sh")
CONFIGURATION = """
version: 0.1
storage:
  filesystem: {{rootdirectory: '{folder}'}}
http:
  addr: 127.0.0.1:{port}
"""


class Registry:
    """A registry of this machine; `host` is its name in Docker, and `folder` has its data."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.host = f"127.0.0.1:{port}"
        self.folder = folder / "images"
        configuration = folder / "registry.yml"
        configuration.write_text(CONFIGURATION.format(folder=self.folder, port=port))
        self._log = (folder / "registry.log").open("w")
        self._process = subprocess.Popen(
            ["docker-registry", "serve", configuration],
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        wait_until(lambda: is_ready(f"http://{self.host}/v2/"), what="the registry answers")

    @property
    def size_bytes(self) -> int:
        """How much data it has."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())

    def push(self, image: str) -> str:
        """Push an image of Docker's; returns its name there."""
        name = f"{self.host}/{image}"
        docker("image", "tag", image, name)
        docker("image", "push", "--quiet", name)
        docker("image", "rm", name)
        return name

    def stop(self) -> None:
        """Stop it."""
        self._process.terminate()
        self._process.wait()
        self._log.close()


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry with the three images."""
    registry = Registry(tmp_path_factory.mktemp("registry"))
    for image in IMAGES:
        registry.push(image.reference)
    yield registry
    registry.stop()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what images are built from."""
    for name in ("chassis", "services", "requirements"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / ".dockerignore", tmp_path)
    return tmp_path


def test_manifests_of_a_release_name_its_images_by_digest(
    registry: Registry, tmp_path: Path
) -> None:
    """The overlay `release` names exactly the images of the version that the registry has."""
    manifests = Manifests(tmp_path)
    shutil.copy(ROOT / NAMER, tmp_path / NAMER)
    command = [str(tmp_path / NAMER), f"{registry.host}/mythoughts", IMAGES[0].version]

    subprocess.run(command, check=True, cwd=tmp_path)

    named = {c["image"] for _, c in all_containers(manifests.render("release"))}
    own = {image for image in named if "mythoughts" in image}
    assert {image.partition("@")[0] for image in own} == {
        f"{registry.host}/mythoughts/{image.name}" for image in IMAGES
    }
    for image in own:
        assert re.fullmatch(r"[^@]+@sha256:[0-9a-f]{64}", image)
        docker("image", "pull", "--quiet", image)
        here = f"mythoughts/{image.partition('@')[0].rpartition('/')[2]}:{IMAGES[0].version}"
        assert inspected(image)["Id"] == inspected(here)["Id"]
        docker("image", "rm", image)


def test_missing_version_changes_nothing(registry: Registry, tmp_path: Path) -> None:
    """Without an image the command fails, and the component stays as it was."""
    Manifests(tmp_path)
    shutil.copy(ROOT / NAMER, tmp_path / NAMER)
    component = tmp_path / "deploy/kubernetes/components/released-images/kustomization.yaml"
    before = component.read_text()

    command = [str(tmp_path / NAMER), f"{registry.host}/mythoughts", "9.9.9"]
    done = subprocess.run(command, check=False, capture_output=True)

    assert done.returncode != 0
    assert component.read_text() == before


def test_change_of_code_transfers_little(registry: Registry, tree: Path) -> None:
    """After an edit of one file, a push adds well under a megabyte to the registry."""
    edited = tree / "services" / FRONTEND.package / "src" / FRONTEND.package / "app.py"
    edited.write_text(edited.read_text() + "\n# An edit.\n")
    image = "mythoughts/frontend:edited"
    dockerfile = f"{tree}/services/{FRONTEND.package}/Dockerfile"
    docker(
        "build", "--quiet", "--provenance=false", "--tag", image, "--file", dockerfile, str(tree)
    )
    before = registry.size_bytes

    registry.push(image)

    docker("image", "rm", image)
    assert 0 < registry.size_bytes - before < 500_000
