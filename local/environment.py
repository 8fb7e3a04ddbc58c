"""Creates the virtual environment `.venv` and installs the locked packages; `make` runs it first.

    python3 -m local.environment run            what `make up` needs
    python3 -m local.environment development    everything, for the tests and checks

It runs with the Python that `make` finds, before any package is installed. It records what it has
installed in `.venv/.mythoughts-installed.json`, so that a second call does nothing. The two locks
contain the same versions, so one environment serves both.
"""

import hashlib
import importlib.util
import json
import os
import re
import subprocess
import sys
from ast import literal_eval
from collections.abc import Mapping, Sequence
from pathlib import Path

from local.console import complain, step
from local.stopping import run_program

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV = VENV / "bin" / "uv"
STAMP = VENV / ".mythoughts-installed.json"
INSTALLER_LOCK = ROOT / "requirements" / "installer.txt"

# Our own packages, installed in editable mode.
OWN_PACKAGES = (
    "chassis",
    "services/thoughts_backend",
    "services/users_backend",
    "services/frontend",
)

# The options taken from pip's configuration.
_SOURCES = (
    *("index-url", "extra-index-url", "find-links", "no-index", "trusted-host", "proxy", "cert"),
    *("client-cert", "keyring-provider", "timeout", "default-timeout", "retries", "cache-dir"),
)

# PostgreSQL's initdb passes its own path to a shell in double quotes, a virtual environment accepts
# no colon, and lists of paths accept no control characters and only UTF-8.
_IMPOSSIBLE = re.compile(r'["$`\\:\x00-\x1f\x7f\ud800-\udfff]')
MAX_PATH_BYTES = 800


class InstallationError(Exception):
    """The environment could not be created; `str()` says why and what to do."""


def main(arguments: list[str]) -> int:
    """Install the named lock; return the exit status."""
    try:
        ensure_installed(arguments[0])
    except InstallationError as error:
        complain(f"\n{error}")
        return 1
    return 0


def ensure_installed(lock_name: str) -> None:
    """Install what is missing in `.venv` from `requirements/<lock_name>.txt`."""
    check_folder(ROOT)
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


def check_folder(folder: Path) -> None:
    """Raise InstallationError if the path of `folder` prevents a clone from working there."""
    if _IMPOSSIBLE.search(str(folder)) or len(os.fsencode(folder)) > MAX_PATH_BYTES:
        raise InstallationError(
            f"MyThoughts cannot run in {str(folder)!r}: its tools do not accept a path "
            "with a colon, a double quote, a dollar sign, a backquote, a backslash or a control "
            f"character, nor one that is longer than {MAX_PATH_BYTES} bytes or not in UTF-8. "
            "Move the clone to another folder."
        )


def _digest(lock: Path) -> str:
    """A digest of everything that the installation depends on, including the folder."""
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
    """Whether `.venv` is a working environment for this folder, with pip."""
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
            f"This Python ({sys.executable}) cannot create virtual environments: part of it is not "
            "installed.\n"
            f"On Debian and Ubuntu: sudo apt-get install python{version}-venv"
        )
    with step("Creating the virtual environment"):
        run_installer([sys.executable, "-m", "venv", "--clear", VENV])


def _install(lock: Path) -> None:
    if not UV.exists():
        install_by_pip("--require-hashes", "-r", INSTALLER_LOCK)
    _install_by_uv("--require-hashes", "-r", lock)
    own = [part for package in OWN_PACKAGES for part in ("-e", f"./{package}")]
    _install_by_uv("--no-index", "--no-deps", "--no-build-isolation", *own)


def _install_by_uv(*what: str | Path) -> None:
    """Install with uv, which is faster, or with pip if uv fails.

    uv needs a folder for its cache, and does not read pip's configuration of mirrors, proxies and
    certificates.
    """
    try:
        run_installer([UV, "pip", "install", "--quiet", "--python", PYTHON, *what])
    except InstallationError:
        install_by_pip(*what)


def install_by_pip(*what: str | Path, python: Path = PYTHON) -> None:
    """Install into the environment of `python`; raises InstallationError."""
    others = {name: text for name, text in os.environ.items() if not name.startswith("PIP_")}
    run_installer(
        [python, "-m", "pip", "install", "--quiet", *what],
        environment=others | pip_settings(python),
    )


def pip_settings(python: Path) -> dict[str, str]:
    """The variables for pip: from its configuration only the options about package sources.

    Options such as `user`, `target` and `prefix`, which say where to install, are ignored.
    """
    listing = subprocess.run(
        [python, "-m", "pip", "config", "list"],
        env={**os.environ, "PIP_USER": "0"},  # Otherwise pip would list only the user's own file.
        capture_output=True,
        text=True,
        check=False,
    )
    settings = {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    # Options of the environment come first and take precedence.
    for line in reversed(listing.stdout.splitlines()):
        name, _, value = line.partition(".")[2].partition("=")
        if name in _SOURCES:
            settings[f"PIP_{name.upper().replace('-', '_')}"] = literal_eval(value)
    return settings


def run_installer(
    command: Sequence[str | Path], *, environment: Mapping[str, str] | None = None
) -> None:
    """Run an installation command; raises InstallationError with its output."""
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise InstallationError(
            f"This command failed:\n  {' '.join(map(str, command))}\n{done.stderr or done.stdout}"
        )


if __name__ == "__main__":
    run_program(lambda: main(sys.argv[1:]))
