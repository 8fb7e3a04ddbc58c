"""A clone that nobody but its owner can read, as umask 077 makes it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from testkit.compose_project import Project
from testkit.docker import IMAGES, docker, run_docker
from tooling.project import ROOT

SOMEBODY = 12345


@pytest.fixture(scope="module")
def private_clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of what git knows of, for its owner alone, who is not root."""
    clone = tmp_path_factory.mktemp("private") / "my clone"
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, clone / name)
    for path in (clone, *clone.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
        if os.geteuid() == 0:
            os.chown(path, SOMEBODY, SOMEBODY)
    yield clone
    shutil.rmtree(clone)


def test_system_starts_from_a_private_clone(private_clone: Path) -> None:
    """`docker compose up` works, demonstration data and admin included."""
    with Project(private_clone / "compose.yaml") as project:
        project.up()
        system = project.system()

        assert system.log_in("bruce", "bruce")
        assert system.admin.token
        assert system.thoughts().get("/api/thoughts/").json()


def test_image_of_a_private_clone_can_be_read(private_clone: Path) -> None:
    """An image that was built from it starts as an account that owns none of its files.

    It is the one that copies most, templates and catalogues included; the others are made alike.
    """
    image = IMAGES[-1]
    name = f"{image.reference}-private"
    dockerfile = private_clone / "services" / image.service.package / "Dockerfile"
    docker("build", "--quiet", f"--tag={name}", f"--file={dockerfile}", str(private_clone))
    try:
        done = run_docker("run", "--rm", "--read-only", "--network=none", name)
    finally:
        docker("image", "rm", name)

    assert done.returncode == 2
    assert "TOKEN_PUBLIC_KEYS_PATH: is required" in done.stderr
