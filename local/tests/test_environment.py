"""Making the virtual environment."""

import importlib.util
from pathlib import Path

import pytest

from local import environment


def test_missing_venv_module_is_explained(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a Debian without python3-venv the message says what to install."""
    monkeypatch.setattr(environment, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(environment, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    monkeypatch.setattr(environment, "STAMP", tmp_path / ".venv" / "stamp.json")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    status = environment.main(["run"])

    assert status == 1
    assert "-venv" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", "#!/bin/sh\nexit 1\n"])
def test_half_made_environment_is_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str
) -> None:
    """An environment whose Python does not work is not taken for one, but made again."""
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text(content)
    python.chmod(0o755)
    monkeypatch.setattr(environment, "VENV", tmp_path)
    monkeypatch.setattr(environment, "PYTHON", python)

    assert not environment.is_usable()


def test_failed_installation_shows_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """When a command of the installation fails, the error has the command and its output."""
    command = ["sh", "-c", "echo no space left >&2; exit 1"]

    with pytest.raises(environment.InstallationError, match="no space left"):
        environment.run_installer(command)
