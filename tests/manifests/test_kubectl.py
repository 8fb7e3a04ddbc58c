"""Finding kubectl."""

from pathlib import Path

import pytest

from tests.manifests import kubectl
from tests.manifests.kubectl import kubectl_path
from tooling.failures import Failure


@pytest.fixture(autouse=True)
def nothing_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Simulate that no kubectl has been fetched."""
    monkeypatch.setattr(kubectl, "OWN", tmp_path / "fetched" / "kubectl")


def install(folder: Path, version: str) -> Path:
    """Put a program into the folder that reports this version of kubectl."""
    folder.mkdir(parents=True)
    program = folder / "kubectl"
    program.write_text(f"#!/bin/sh\necho 'Client Version: {version}'\n")
    program.chmod(0o755)
    return program


def test_the_systems_own_is_used(tmp_path: Path) -> None:
    """A kubectl in PATH is used if it is new enough."""
    program = install(tmp_path / "bin", "v1.27.0")

    assert kubectl_path(str(program.parent)) == str(program)


def test_one_that_is_too_old_is_passed_by(tmp_path: Path) -> None:
    """If the one in PATH is too old, the fetched one is used."""
    old = install(tmp_path / "bin", "v1.20.2")
    fetched = install(tmp_path / "fetched", "v1.32.3")

    assert kubectl_path(str(old.parent)) == str(fetched)


def test_none_is_explained(tmp_path: Path) -> None:
    """The message says which version is needed, and where to get it."""
    with pytest.raises(Failure, match=r"kubectl 1\.27 or newer"):
        kubectl_path(str(tmp_path))
