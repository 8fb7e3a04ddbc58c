"""Creating the virtual environment."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path

import pytest

from tooling import environment
from tooling.failures import Failure
from tooling.project import ROOT


class Clone:
    """A clone whose environment is real; of the packages, only the locks are noted."""

    def __init__(self, folder: Path) -> None:
        self.path = folder
        self.installed: list[str] = []
        self.is_offline = False
        shutil.copytree(ROOT / "requirements", folder / "requirements")
        for package in environment.OWN_PACKAGES:
            (folder / package).mkdir(parents=True)
            shutil.copy(ROOT / package / "pyproject.toml", folder / package)

    def check_out(self, branch: str) -> None:
        """Replace the locks by those of another branch."""
        for name in environment.LOCKS:
            (self.path / "requirements" / f"{name}.txt").write_text(f"a-package=={branch}\n")

    def install(self, lock: Path) -> None:
        """Note what would be installed."""
        if self.is_offline:
            raise Failure("The packages cannot be downloaded.")
        self.installed.append(lock.read_text())


@pytest.fixture
def clone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Clone:
    """A clone without an environment."""
    clone = Clone(tmp_path)
    clone.check_out("1")
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(environment, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    monkeypatch.setattr(environment, "_install", clone.install)
    return clone


def test_each_lock_is_installed_once(clone: Clone) -> None:
    """What is installed stays so when the other lock of the same commit is installed."""
    for name in ("run", "development", "run", "development"):
        environment.ensure_installed(name)

    assert clone.installed == ["a-package==1\n"] * 2


def test_packages_of_another_branch_are_replaced(clone: Clone) -> None:
    """After `make test` on another branch, `make up` installs the packages of its own again."""
    environment.ensure_installed("run")
    clone.check_out("2")
    environment.ensure_installed("development")

    clone.check_out("1")
    environment.ensure_installed("run")

    assert clone.installed == ["a-package==1\n", "a-package==2\n", "a-package==1\n"]


def test_half_installed_packages_of_another_branch_are_replaced(clone: Clone) -> None:
    """The same applies if they could not be installed completely."""
    environment.ensure_installed("run")
    clone.check_out("2")
    clone.is_offline = True
    with pytest.raises(Failure):
        environment.ensure_installed("run")

    clone.check_out("1")
    clone.is_offline = False
    environment.ensure_installed("run")

    assert clone.installed == ["a-package==1\n"] * 2


def test_upgraded_python_gets_a_new_environment(clone: Clone) -> None:
    """After an upgrade, the system's Python does not find what an older one has installed."""
    system = clone.path / "python3"
    system.symlink_to(Path(sys.executable).resolve())
    environment.ensure_installed("run")
    environment.PYTHON.unlink()
    environment.PYTHON.symlink_to(system)

    newer = clone.path / "python3.99"
    newer.write_text("#!/bin/sh\necho No module named pip >&2\nexit 1\n")
    newer.chmod(0o755)
    system.unlink()
    system.symlink_to(newer)
    environment.ensure_installed("run")

    assert environment.is_usable()
    assert clone.installed == ["a-package==1\n"] * 2


def test_missing_venv_module_is_explained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """On a Debian without python3-venv the message says what to install."""
    monkeypatch.setattr(environment, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(environment, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    with pytest.raises(Failure, match="-venv"):
        environment.ensure_installed("run")


@pytest.mark.parametrize("content", ["", "#!/bin/sh\nexit 1\n"])
def test_half_made_environment_is_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str
) -> None:
    """An environment whose Python does not work is created again."""
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text(content)
    python.chmod(0o755)
    monkeypatch.setattr(environment, "VENV", tmp_path)
    monkeypatch.setattr(environment, "PYTHON", python)

    assert not environment.is_usable()


@pytest.mark.parametrize(
    "name",
    [
        "a$HOME b",
        'dq"x',
        "back\\slash",
        "back`tick",
        "co:lon",
        "new\nline",
        "\x7f",
        "\udcff",
        "x" * 900,
    ],
)
def test_impossible_folder_is_refused(name: str) -> None:
    """A folder path that some tool does not accept is rejected in one line that says what to do."""
    with pytest.raises(Failure) as refused:
        environment.check_folder(Path("/home", name))

    assert "Move the clone to another folder" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "name", ["C#", "it's #1 (x) & y;z", "-x", "50 %", "[a]*?", "我的 想法", "x" * 700]
)
def test_unusual_folder_is_no_fault(name: str) -> None:
    """Ordinary folder names are accepted."""
    environment.check_folder(Path("/home", name))


def test_pip_is_told_where_packages_come_from(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """From pip's files and variables, sources are used and destinations are ignored."""
    (tmp_path / "pip.conf").write_text(
        "[global]\nuser = true\nindex-url = https://a.example\nproxy = http://b.example\n"
        "[install]\ntarget = /elsewhere\nprefix = /elsewhere\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.setenv("PIP_PROXY", "http://c.example")
    monkeypatch.setenv("PIP_USER", "1")

    settings = environment.pip_settings(environment.PYTHON)

    assert settings["PIP_INDEX_URL"] == "https://a.example"
    assert settings["PIP_PROXY"] == "http://c.example"
    assert settings["PIP_CONFIG_FILE"] == os.devnull
    assert settings.keys().isdisjoint({"PIP_USER", "PIP_TARGET", "PIP_PREFIX"})
