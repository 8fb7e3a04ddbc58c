"""Runs in the background, while the terminal returns to its prompt."""

import os
import signal
import sys
from collections.abc import Callable

from tooling.program import heed_signals


def run(work: Callable[[Callable[[], None]], int]) -> int:
    """Do `work` in a separate process; return when it calls its argument or ends.

    After that call it writes nothing to the terminal. The exit status is 0, or that of `work`
    if it ended first. Until then, a signal to stop is passed on to it.
    """
    reading, writing = os.pipe()
    worker = os.fork()
    if worker == 0:
        os.close(reading)
        os.setsid()
        sys.exit(work(lambda: _let_go(writing)))
    os.close(writing)
    heed_signals(lambda *_: os.kill(worker, signal.SIGTERM))
    is_ready = bool(os.read(reading, 1))
    return 0 if is_ready else os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])


def _let_go(writing: int) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    sys.stdout.flush()
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    os.write(writing, b"1")
    os.close(writing)
