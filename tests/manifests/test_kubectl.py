"""Finding kubectl."""

from pathlib import Path

import pytest

from tests.manifests import kubectl
from tests.manifests.kubectl import NoKubectl, kubectl_path


@pytest.fixture(autouse=True)
def nothing_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As if no kubectl had been fetched."""
    monkeypatch.setattr(kubectl, "OWN", tmp_path / "fetched" / "kubectl")


def install(folder: Path, version: str) -> Path:
    """Put a program into the folder that says it is kubectl of this version."""
    folder.mkdir(parents=True)
    program = folder / "kubectl"
    program.write_text(f"#!/bin/sh\necho 'Client Version: {version}'\n")
    program.chmod(0o755)
    return program


def test_the_systems_own_is_used(tmp_path: Path) -> None:
    """A kubectl that is in PATH, and new enough."""
    program = install(tmp_path / "bin", "v1.27.0")

    assert kubectl_path(str(program.parent)) == str(program)


def test_one_that_is_too_old_is_passed_by(tmp_path: Path) -> None:
    """What was fetched is used instead."""
    old = install(tmp_path / "bin", "v1.20.2")
    fetched = install(tmp_path / "fetched", "v1.32.3")

    assert kubectl_path(str(old.parent)) == str(fetched)


def test_none_is_explained(tmp_path: Path) -> None:
    """The message says which is needed, and where to get it."""
    with pytest.raises(NoKubectl, match=r"kubectl 1\.27 or newer"):
        kubectl_path(str(tmp_path))
