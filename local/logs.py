"""Follows log files, each line with its origin."""

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tooling.lines import show_line

_FIRST_LINES = 20
_PAUSE_SECONDS = 0.3


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
