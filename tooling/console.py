"""Output to the terminal: messages, steps with their durations, questions."""

import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TextIO

from tooling.failures import Failure

_STEP_WIDTH = 46

_writing = threading.Lock()


def say(text: str = "") -> None:
    """Write `text` and a newline."""
    _write(text + "\n", sys.stdout)


def complain(text: str) -> None:
    """Write `text` and a newline to standard error."""
    _write(text + "\n", sys.stderr)


@contextmanager
def step(label: str) -> Iterator[None]:
    """Show a step and how long it took; on a terminal, count the seconds while it runs."""
    started = time.monotonic()
    done = threading.Event()
    line = _dotted(label)
    _write(line, sys.stdout)
    clock = threading.Thread(target=_show_seconds, args=(line, started, done), daemon=True)
    if sys.stdout.isatty():
        clock.start()
    succeeded = False
    try:
        yield
        succeeded = True
    finally:
        done.set()
        if clock.is_alive():
            clock.join()
        result = f"{time.monotonic() - started:5.1f} s" if succeeded else "stopped"
        rewrite = f"\r{line}" if sys.stdout.isatty() else ""
        say(f"{rewrite} {result}")


def say_step(label: str, *, seconds: float) -> None:
    """Show a completed step, as `step` does at its end."""
    say(f"{_dotted(label)} {seconds:5.1f} s")


def confirm(question: str, environment: Mapping[str, str]) -> None:
    """Raise Failure unless the user answers yes at a terminal, or YES=1 is set."""
    say(question)
    if not environment.get("YES") and not _is_confirmed():
        raise Failure("Nothing was done. To skip this question, add YES=1 to the command.")


def _is_confirmed() -> bool:
    if not sys.stdin.isatty():
        return False
    try:
        return input("Type yes to continue: ").strip().lower() == "yes"
    except (EOFError, KeyboardInterrupt):
        say()
        return False


def _dotted(label: str) -> str:
    return f"  {label} ".ljust(_STEP_WIDTH, ".")


def _show_seconds(line: str, started: float, done: threading.Event) -> None:
    while not done.wait(1):
        _write(f"\r{line} {time.monotonic() - started:3.0f} s", sys.stdout)


def _write(text: str, stream: TextIO) -> None:
    # A closed terminal or pipe must not stop anything.
    with _writing, suppress(OSError):
        stream.write(text)
        stream.flush()
