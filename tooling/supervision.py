"""The supervisor that replaces a service's process, also used in clusters: its command lines."""

import sys
from pathlib import Path

from tooling.commands import run
from tooling.project import ROOT

SUPERVISOR = ROOT / "deploy" / "kubernetes" / "components" / "dev" / "supervisor.py"

# What the supervisor answers if the service runs.
READY = "ready"


def supervised(folder: Path, command: list[str | Path]) -> list[str | Path]:
    """The command that runs `command` under a supervisor, whose sockets are in `folder`."""
    return [sys.executable, SUPERVISOR, "run", folder, *command]


def restart(folder: Path) -> str:
    """Replace the process of the supervisor in `folder`; return READY, or what failed.

    Raises Failure if the supervisor has ended.
    """
    return run(sys.executable, SUPERVISOR, "restart", folder).strip()
