"""The command line of a service: `python -m thoughts_backend [COMMAND] [then COMMAND]…`.

Errors that the operator can fix, such as a missing setting, an invalid file or an unreachable
database, are reported in one message, without a traceback, with exit status 2.
"""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby

from mythoughts_chassis.keys import KeySetError
from mythoughts_chassis.settings import SettingsError

# Takes the options and the environment.
Command = Callable[[argparse.Namespace, Mapping[str, str]], None]


class CommandError(Exception):
    """A command failed; `str()` gives the reason."""


# Between two commands. One process for several starts faster than one for each.
_THEN = "then"

_FOR_THE_OPERATOR = (SettingsError, KeySetError, CommandError, OSError)


def run(parser: argparse.ArgumentParser, arguments: Sequence[str] | None = None) -> int:
    """Run the commands in `arguments`, one after the other until one fails; return its exit status.

    The parser sets `command`, a `Command`. SIGTERM ends the command at once unless the command
    handles it: the first process of a container ignores it by default.
    """
    words = sys.argv[1:] if arguments is None else arguments
    commands = [list(group) for is_then, group in groupby(words, _THEN.__eq__) if not is_then]
    chosen = [parser.parse_args(command) for command in commands or [[]]]
    signal.signal(signal.SIGTERM, _end)
    try:
        for options in chosen:
            command: Command = options.command
            command(options, os.environ)
    except _FOR_THE_OPERATOR as error:
        for line in str(error).splitlines():
            sys.stderr.write(f"{parser.prog}: {line}\n")
        return 2
    return 0


def _end(number: int, _: object) -> None:
    raise SystemExit(128 + number)
