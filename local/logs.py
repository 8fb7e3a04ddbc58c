"""Shows the output of the processes, each line with its origin, and follows log files."""

import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tooling.console import say

_COLOURS = {"frontend": 36, "thoughts": 32, "users": 35, "postgres": 34}
_NAME_WIDTH = max(len(name) for name in _COLOURS)
_FIRST_LINES = 20
_PAUSE_SECONDS = 0.3


def show_line(name: str, line: str) -> None:
    """Write a line of a process's output with the process's name, coloured on a terminal."""
    label = f"{name:{_NAME_WIDTH}} |"
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        label = f"\x1b[{_COLOURS.get(name, 0)}m{label}\x1b[0m"
    say(f"{label} {line}")


def follow(logs: Mapping[str, Path], *, while_: Callable[[], bool]) -> None:
    """Show the last lines of each log, then new lines, until `while_()` is false."""
    positions = dict.fromkeys(logs, 0)
    shown_lines = _FIRST_LINES
    goes_on = True
    while goes_on:
        goes_on = while_()  # Checked first, so that the last lines are also shown.
        for name, path in logs.items():
            lines, positions[name] = _new_lines(path, positions[name])
            for line in lines[-shown_lines:]:
                show_line(name, line)
        shown_lines = sys.maxsize
        time.sleep(_PAUSE_SECONDS)


def _new_lines(path: Path, position: int) -> tuple[list[str], int]:
    """The complete lines after `position`, and their end; a file that shrank has been restarted."""
    if not path.exists():
        return [], 0
    with path.open("rb") as log:
        log.seek(position if path.stat().st_size >= position else 0)
        *lines, unfinished = log.read().split(b"\n")
        return [line.decode(errors="replace") for line in lines], log.tell() - len(unfinished)
