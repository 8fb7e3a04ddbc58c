"""Stops a program on Ctrl-C, SIGTERM or the end of its terminal, whatever it has inherited.

Background jobs of scripts, `nohup` and some CI runners start programs with SIGINT ignored, and a
parent may have blocked any signal. The programs of this repository stop nevertheless.
"""

import signal
import sys
from collections.abc import Callable
from typing import NoReturn

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def heed_signals(on_interrupt: Callable[..., object] = signal.default_int_handler) -> None:
    """Call `on_interrupt` on each of the signals; by default it raises KeyboardInterrupt.

    SIGHUP stays ignored if it already is, because that is the purpose of `nohup`. Only the main
    thread may call this.
    """
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    # With Python's own handler, asyncio stops its tasks cleanly.
    signal.signal(signal.SIGINT, on_interrupt)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if number == signal.SIGTERM or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda *_: signal.raise_signal(signal.SIGINT))


def run_program(main: Callable[[], int | None]) -> NoReturn:
    """Run a program's main function so that signals stop it; exit with its status, or 130."""
    heed_signals()
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
