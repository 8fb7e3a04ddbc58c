"""Makes the virtual environment `.venv` and installs the locked packages; `make` runs it first.

    python3 -m local.environment run            what `make up` needs
    python3 -m local.environment development    everything, for the tests and checks

It runs with the Python that `make` finds, before any package is there. What has been installed is
noted in `.venv/.mythoughts-installed.json`, so that a second call does nothing. The two locks agree
in all their versions, so one environment serves both.
"""

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from local.console import complain, step

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".mythoughts-installed.json"
INSTALLER_LOCK = ROOT / "requirements" / "installer.txt"

# Our own packages, installed so that a change of their code needs no new installation.
OWN_PACKAGES = (
    "chassis",
    "services/thoughts_backend",
    "services/users_backend",
    "services/frontend",
)


class InstallationError(Exception):
    """The environment could not be made; `str()` says why and what to do."""


def main(arguments: list[str]) -> int:
    """Install the lock that is named; the exit status."""
    try:
        ensure_installed(arguments[0])
    except InstallationError as error:
        complain(f"\n{error}")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def ensure_installed(lock_name: str) -> None:
    """Make `.venv` hold what `requirements/<lock_name>.txt` says, doing only what is missing."""
    lock = ROOT / "requirements" / f"{lock_name}.txt"
    installed = _read_stamp()
    digest = _digest(lock)
    if installed.get(lock_name) == digest:
        return
    if not is_usable():
        _make_environment()
        installed = {}
    with step("Installing packages"):
        _install(lock)
    _write_stamp({**installed, lock_name: digest})


def _digest(lock: Path) -> str:
    """What the installation depends on: the lock, our packages' descriptions, the folder."""
    descriptions = [ROOT / package / "pyproject.toml" for package in OWN_PACKAGES]
    content = b"".join(path.read_bytes() for path in [INSTALLER_LOCK, lock, *descriptions])
    return hashlib.sha256(content + os.fsencode(ROOT)).hexdigest()


def _read_stamp() -> dict[str, str]:
    try:
        stamp = json.loads(STAMP.read_text())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def _write_stamp(installed: dict[str, str]) -> None:
    unfinished = STAMP.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(installed, indent=2) + "\n")
    unfinished.replace(STAMP)


def is_usable() -> bool:
    """Whether `.venv` is an environment for this folder that packages can be installed into."""
    question = "import pip, sys; print(sys.prefix, sys.version_info >= (3, 11))"
    try:
        answer = subprocess.run(
            [PYTHON, "-c", question], capture_output=True, text=True, check=False
        )
    except OSError:
        return False
    return answer.stdout.strip() == f"{VENV} True"


def _make_environment() -> None:
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise InstallationError(
            f"This Python ({sys.executable}) cannot make virtual environments: a part of it is not "
            "installed.\n"
            f"On Debian and Ubuntu: sudo apt-get install python{version}-venv"
        )
    with step("Making the virtual environment"):
        run_installer([sys.executable, "-m", "venv", "--clear", VENV])


def _install(lock: Path) -> None:
    if not (VENV / "bin" / "uv").exists():
        run_installer([*_pip(), "install", "--quiet", "--require-hashes", "-r", INSTALLER_LOCK])
    try:
        run_installer([*_uv(), "--require-hashes", "-r", lock])
    except InstallationError:
        # pip knows of mirrors, proxies and certificates that it alone has been configured with.
        run_installer([*_pip(), "install", "--quiet", "--require-hashes", "-r", lock])
    own = [part for package in OWN_PACKAGES for part in ("-e", ROOT / package)]
    run_installer([*_uv(), "--offline", "--no-deps", "--no-build-isolation", *own])


def _pip() -> list[str | Path]:
    return [PYTHON, "-m", "pip", "--disable-pip-version-check"]


def _uv() -> list[str | Path]:
    return [VENV / "bin" / "uv", "pip", "install", "--quiet", "--python", PYTHON]


def run_installer(command: Sequence[str | Path]) -> None:
    """Run a command that installs something; raises InstallationError with its output."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InstallationError(
            f"This did not work:\n  {' '.join(map(str, command))}\n{done.stderr or done.stdout}"
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
