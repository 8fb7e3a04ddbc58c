"""Creates the virtual environment `.venv` and installs the locked packages; `make` runs it first.

    python3 -m tooling.environment run            what `make up` needs
    python3 -m tooling.environment development    everything, for the tests and checks

It runs with the Python that `make` finds, before any package is installed. For each lock it records
in `.venv` what it has installed, so that a second call does nothing. The two locks of one commit
contain the same versions, so one environment serves both.
"""

import fcntl
import hashlib
import importlib.util
import os
import re
import subprocess
import sys
from ast import literal_eval
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tooling.commands import run
from tooling.console import say, step
from tooling.failures import Failure
from tooling.program import run_program
from tooling.project import ROOT, SERVICES

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV = VENV / "bin" / "uv"
INSTALLER_LOCK = ROOT / "requirements" / "installer.txt"
LOCKS = ("run", "development")

# Our own packages, installed in editable mode.
OWN_PACKAGES = ("chassis", *(f"services/{service.package}" for service in SERVICES))

# The options taken from pip's configuration.
_SOURCES = (
    *("index-url", "extra-index-url", "find-links", "no-index", "trusted-host", "proxy", "cert"),
    *("client-cert", "keyring-provider", "timeout", "default-timeout", "retries", "cache-dir"),
)

# PostgreSQL's initdb passes its own path to a shell in double quotes, a virtual environment accepts
# no colon, and lists of paths accept no control characters and only UTF-8.
_IMPOSSIBLE = re.compile(r'["$`\\:\x00-\x1f\x7f\ud800-\udfff]')
MAX_PATH_BYTES = 800


def ensure_installed(lock_name: str) -> None:
    """Install what is missing in `.venv` from `requirements/<lock_name>.txt`. Raises Failure."""
    check_folder(ROOT)
    with _alone():
        if _is_installed(lock_name):
            return
        if not is_usable():
            _make_environment()
        _forget_replaced()
        with step("Installing packages"):
            _install(_lock(lock_name))
        _record(lock_name).write_bytes(_digest(lock_name))


def _is_installed(lock_name: str) -> bool:
    record = _record(lock_name)
    # The Python that made the environment may have been removed: then this link leads nowhere.
    return PYTHON.exists() and record.exists() and record.read_bytes() == _digest(lock_name)


def _forget_replaced() -> None:
    """Delete the records of locks of other commits: those packages are about to be replaced."""
    for name in LOCKS:
        if not _is_installed(name):
            _record(name).unlink(missing_ok=True)


def _lock(name: str) -> Path:
    return ROOT / "requirements" / f"{name}.txt"


def _record(lock_name: str) -> Path:
    return VENV / f"installed-{lock_name}"


@contextmanager
def _alone() -> Iterator[None]:
    """Wait until no other process, such as a verb in another terminal, installs packages here."""
    with INSTALLER_LOCK.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another process that installs packages here.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def check_folder(folder: Path) -> None:
    """Raise Failure if the path of `folder` prevents a clone from working there."""
    if _IMPOSSIBLE.search(str(folder)) or len(os.fsencode(folder)) > MAX_PATH_BYTES:
        raise Failure(
            f"MyThoughts cannot run in {str(folder)!r}: its tools accept no path that contains "
            "a colon, a double quote, a dollar sign, a backquote, a backslash or a control "
            f"character, is longer than {MAX_PATH_BYTES} bytes or is not UTF-8. "
            "Move the clone to another folder."
        )


def _digest(lock_name: str) -> bytes:
    """A digest of everything that the installation depends on, including the folder.

    After an upgrade of the system, the environment's Python can be another one, such as
    `python3.13`, which finds no packages there.
    """
    descriptions = [ROOT / package / "pyproject.toml" for package in OWN_PACKAGES]
    content = b"".join(
        path.read_bytes() for path in [INSTALLER_LOCK, _lock(lock_name), *descriptions]
    )
    python = PYTHON.resolve().name
    return hashlib.sha256(content + os.fsencode(f"{ROOT}{python}")).hexdigest().encode()


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
        raise Failure(
            f"This Python ({sys.executable}) cannot create virtual environments: part of it is not "
            "installed.\n"
            f"On Debian and Ubuntu: sudo apt-get install python{version}-venv"
        )
    with step("Creating the virtual environment"):
        run(sys.executable, "-m", "venv", "--clear", VENV)


def _install(lock: Path) -> None:
    if not UV.exists():
        install_by_pip("--require-hashes", "-r", INSTALLER_LOCK)
    install_by_uv("--require-hashes", "-r", lock)
    own = [part for package in OWN_PACKAGES for part in ("-e", f"./{package}")]
    install_by_uv("--no-index", "--no-deps", "--no-build-isolation", *own)


def install_by_uv(*what: str | Path, python: Path = PYTHON) -> None:
    """Install into the environment of `python` with uv, which is faster, or with pip if uv fails.

    uv needs a folder for its cache, and does not read pip's configuration of mirrors, proxies and
    certificates. Raises Failure.
    """
    try:
        run(UV, "pip", "install", "--quiet", "--python", python, *what)
    except Failure:
        install_by_pip(*what, python=python)


def install_by_pip(*what: str | Path, python: Path = PYTHON) -> None:
    """Install into the environment of `python`; raises Failure."""
    others = {name: text for name, text in os.environ.items() if not name.startswith("PIP_")}
    settings = others | pip_settings(python)
    run(python, "-m", "pip", "install", "--quiet", *what, environment=settings)


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
    ).stdout
    settings = {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    # Options of the environment come first and take precedence.
    for line in reversed(listing.splitlines()):
        name, _, value = line.partition(".")[2].partition("=")
        if name in _SOURCES:
            settings[f"PIP_{name.upper().replace('-', '_')}"] = literal_eval(value)
    return settings


if __name__ == "__main__":
    run_program(lambda: ensure_installed(sys.argv[1]))
