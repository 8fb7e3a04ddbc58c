"""A child process of the system, whose output is logged and which is never left behind."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from logging import Formatter, LogRecord
from logging.handlers import RotatingFileHandler
from pathlib import Path

from local.account import Account, run_as
from tooling.failures import Failure

LOG_BYTES = 5_000_000
REMEMBERED_LINES = 15
# In the environment of each process: the path of its log, by which the next run finds what a
# killed run has left behind.
LOG_VARIABLE = "MYTHOUGHTS_LOG"

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class Process:
    """A child process with a name and a log (at most two files of `LOG_BYTES`, the older is `.1`).

    It runs in its own session, so that Ctrl-C reaches only the parent, which decides the order of
    stopping. On Linux it also gets `stop_signal` when its parent dies, for whatever reason.
    `on_line(name, line)` is called for each line of output, in another thread.

    Start it in a thread that outlives it: Linux sends the signal when that thread ends.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str],
        log_path: Path,
        on_line: Callable[[str, str], None] | None = None,
        account: Account | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.command = [str(part) for part in command]
        self.environment = dict(environment)
        self.log_path = log_path
        self.last_lines: deque[str] = deque(maxlen=REMEMBERED_LINES)
        self._on_line = on_line
        self._account = account
        self.stop_signal = stop_signal
        self._child: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    @property
    def pid(self) -> int:
        """The process id; the process must have been started."""
        return self._started().pid

    @property
    def exit_status(self) -> int | None:
        """The exit status, the negative signal number if it was killed; None while it runs."""
        return None if self._child is None else self._child.poll()

    @property
    def is_running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._child is not None and self._child.poll() is None

    @property
    def ending(self) -> str:
        """How it ended, in words."""
        status = self.exit_status or 0
        return (
            f"was ended by signal {-status}" if status < 0 else f"ended with exit status {status}"
        )

    def failure(self, what: str = "") -> Failure:
        """The failure of this process, with its last lines; by default that it has ended."""
        if self.exit_status is not None:
            self.wait(timeout_seconds=1)  # So that its last lines have been read.
        lines = "\n".join(f"    {line}" for line in self.last_lines) or "    (no output)"
        return Failure(
            f"{self.name} {what or self.ending}. Its last lines:\n{lines}\n"
            f"The whole log: {self.log_path}"
        )

    def start(self) -> None:
        """Start it; forgets the last lines of an earlier run, but appends to its log file."""
        self.last_lines.clear()
        self._child = subprocess.Popen(
            self.command,
            env={**self.environment, LOG_VARIABLE: str(self.log_path)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            cwd="/",
            start_new_session=True,
            preexec_fn=_end_with(os.getpid(), self.stop_signal),  # noqa: PLW1509 (one system call)
            **run_as(self._account),
        )
        self._reader = threading.Thread(target=self._read_lines, args=(self._child,), daemon=True)
        self._reader.start()

    def stop(self, *, timeout_seconds: float = 10) -> int:
        """Ask it to stop, kill it after `timeout_seconds`, and return the exit status."""
        self.signal(self.stop_signal)
        return self.wait(timeout_seconds=timeout_seconds)

    def kill(self) -> int:
        """End it at once (SIGKILL)."""
        self.signal(signal.SIGKILL)
        return self.wait(timeout_seconds=10)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        if self.is_running:
            self._started().send_signal(number)

    def wait(self, *, timeout_seconds: float) -> int:
        """Wait until it has ended and its output has been read; kill it after `timeout_seconds`."""
        child = self._started()
        try:
            status = child.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            status = child.wait()
        if self._reader is not None:
            # A grandchild may hold the pipe longer; its output is not worth waiting for.
            self._reader.join(timeout=2)
        return status

    def _started(self) -> subprocess.Popen[str]:
        if self._child is None:
            raise RuntimeError(f"{self.name} has not been started")
        return self._child

    def _read_lines(self, child: subprocess.Popen[str]) -> None:
        if child.stdout is None:
            return
        log = RotatingFileHandler(
            self.log_path, maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8"
        )
        log.setFormatter(Formatter("%(message)s"))
        with child.stdout:
            for line in child.stdout:
                text = line.rstrip("\n")
                self.last_lines.append(text)
                log.emit(LogRecord(self.name, 0, "", 0, text, None, None))
                if self._on_line is not None:
                    self._on_line(self.name, text)
        log.close()


def _end_with(parent: int, number: signal.Signals) -> Callable[[], None] | None:
    """Code that a child runs before its program, so that it gets `number` when `parent` dies.

    The kernel clears this setting when the account changes, so it is made afterwards (`prctl(2)`).
    """
    if _libc is None:
        return None
    libc = _libc

    def tie_to_parent() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, number.value)
        if os.getppid() != parent:
            os.kill(os.getpid(), number)

    return tie_to_parent
