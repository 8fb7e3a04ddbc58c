"""Shows the output of the processes, each line with its origin, and follows log files."""

import os
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

from tooling.console import say

_COLOURS = {"frontend": 36, "thoughts": 32, "users": 35, "postgres": 34}
_NAME_WIDTH = max(len(name) for name in _COLOURS)
_SHOWN_LINES = 20
_PAUSE_SECONDS = 0.3


def show_line(name: str, line: str) -> None:
    """Write a line of a process's output with the process's name, coloured on a terminal."""
    label = f"{name:{_NAME_WIDTH}} |"
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        label = f"\x1b[{_COLOURS.get(name, 0)}m{label}\x1b[0m"
    say(f"{label} {line}")


def follow(logs: Mapping[str, Path], *, while_: Callable[[], bool]) -> None:
    """Show the last lines of each log, then new lines, until `while_()` is false."""
    positions = {name: _show_end(name, path) for name, path in logs.items()}
    goes_on = True
    while goes_on:
        time.sleep(_PAUSE_SECONDS)
        goes_on = while_()  # Checked first, so that the last lines are also shown.
        for name, path in logs.items():
            positions[name] = _show_new(name, path, positions[name])


def _show_end(name: str, path: Path) -> int:
    if not path.exists():
        return 0
    with path.open("rb") as log:
        for line in deque(log, maxlen=_SHOWN_LINES):
            _show(name, line)
        return log.tell()


def _show_new(name: str, path: Path, position: int) -> int:
    """Show the complete lines after `position`; a file that shrank has been restarted."""
    if not path.exists():
        return 0
    with path.open("rb") as log:
        log.seek(position if path.stat().st_size >= position else 0)
        position = log.tell()
        for line in log:
            if not line.endswith(b"\n"):
                break
            _show(name, line)
            position += len(line)
    return position


def _show(name: str, line: bytes) -> None:
    show_line(name, line.decode(errors="replace").rstrip("\n"))
