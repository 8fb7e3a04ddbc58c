"""Lines of output with the name of the process that wrote them."""

import os
import sys

from tooling.console import say

_COLOURS = {"frontend": 36, "thoughts": 32, "users": 35, "postgres": 34}
_NAME_WIDTH = max(len(name) for name in _COLOURS)


def show_line(name: str, line: str) -> None:
    """Write a line of a process's output with the process's name, coloured on a terminal."""
    label = f"{name:{_NAME_WIDTH}} |"
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        label = f"\x1b[{_COLOURS.get(name, 0)}m{label}\x1b[0m"
    say(f"{label} {line}")
