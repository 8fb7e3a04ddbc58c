"""A service under the supervisor, which replaces its process when its code changes.

The same program supervises services in the pods of a cluster.
"""

import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tooling.failures import Failure
from tooling.lines import show_line
from tooling.project import ROOT, Service
from tooling.working_tree import Change, snapshot

SUPERVISOR = ROOT / "deploy" / "kubernetes" / "components" / "dev" / "supervisor.py"

# What the supervisor answers if the service runs.
READY = "ready"


@contextmanager
def private_folder() -> Iterator[Path]:
    """A temporary folder for the folders of supervisors.

    It is not in TMPDIR: the path of a socket is limited to about 100 bytes, that of TMPDIR is not.
    """
    with tempfile.TemporaryDirectory(prefix="mythoughts-", dir="/tmp") as name:
        yield Path(name)


class SupervisedService:
    """A service on this machine; the sockets of its supervisor are in `folder`, a new folder."""

    def __init__(self, service: Service, folder: Path) -> None:
        folder.mkdir()
        self._service = service
        self._folder = folder
        self._started = snapshot(service)

    @property
    def command(self) -> list[str | Path]:
        """The command that runs the supervisor with the service."""
        command = self._service.command()
        return [sys.executable, SUPERVISOR, "run", self._folder, *command]

    def apply(self, change: Change, migrate: Callable[[Service], None] | None = None) -> None:
        """Replace the process if the change is of its code; show when it is live, or why not."""
        name = self._service.name
        if change.is_of_packages(self._service):
            what = "if the service needs other packages, run `make lock` and restart `make dev`"
            show_line(name, f"{change.title} changed: {what}")
        if not change.is_of_code(self._service):
            return
        before, self._started = self._started, snapshot(self._service)
        if before.name == self._started.name:
            return  # Saving alone changes nothing.
        try:
            if migrate and before.migrations != self._started.migrations:
                migrate(self._service)
            outcome = self._restart()
        except Failure as failure:
            outcome = f"not restarted: {failure}"
        if outcome == READY:
            outcome = f"live after {time.time() - change.saved_at:.1f} s"
        if outcome:
            show_line(name, f"{change.title} changed: {outcome}")

    def _restart(self) -> str:
        """Ask the supervisor for a new process; return its answer, or nothing if it is stopped."""
        with suppress(OSError), socket.socket(socket.AF_UNIX) as control:
            control.connect(str(self._folder / "control"))
            control.sendall(b"\n")
            return control.makefile().read()
        return ""
