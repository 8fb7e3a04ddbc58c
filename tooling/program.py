"""The frame of a program of this repository: how it fails, and how it is stopped.

A program stops on Ctrl-C, SIGTERM or the end of its terminal, whatever it has inherited:
background jobs of scripts, `nohup` and some CI runners start programs with SIGINT ignored, and a
parent may have blocked any signal.
"""

import signal
import sys
from collections.abc import Callable
from typing import NoReturn

from tooling.console import complain
from tooling.failures import Failure

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
    """Run a program's main function and exit with its status.

    The status is 1 after a Failure, which is reported, and 130 after a signal to stop.
    """
    heed_signals()
    try:
        sys.exit(main())
    except Failure as failure:
        complain(f"\n{failure}")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
