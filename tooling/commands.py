"""Running other programs."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tooling.failures import Failure
from tooling.project import ROOT

_SHOWN_LINES = 15


def run(
    *command: str | Path,
    text: str = "",
    environment: Mapping[str, str] | None = None,
    limit_seconds: float | None = None,
) -> str:
    """Run a command in the root folder and return its output; `text` is its standard input.

    Raises Failure with the last lines of its output, or if it does not end in time.
    """
    require(command[0])
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=limit_seconds,
        )
    except subprocess.TimeoutExpired:
        raise failed(command, f"It did not end within {limit_seconds} s.") from None
    if done.returncode:
        raise failed(command, done.stderr.strip() or done.stdout)
    return done.stdout


def is_installed(program: str | Path) -> bool:
    """Whether the program is on PATH, or at the path that is given."""
    return shutil.which(program) is not None


def require(program: str | Path) -> None:
    """Raise Failure if the program is not installed."""
    if not is_installed(program):
        raise Failure(f"{program} is needed for this, but it is not on PATH. Install it.")


def failed(command: Sequence[str | Path], output: str) -> Failure:
    """The failure of a command, with the last lines of its output."""
    lines = [f"    {line}" for line in output.strip().splitlines()[-_SHOWN_LINES:]]
    return Failure("\n".join([f"This command failed: {' '.join(map(str, command))}", *lines]))
