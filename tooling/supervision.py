"""A service under the supervisor, which replaces its process when its code changes.

The same program supervises services in the pods of a cluster.
"""

import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import cache_from_source
from pathlib import Path

from tooling.failures import Failure
from tooling.lines import show_line
from tooling.project import ROOT, Service
from tooling.working_tree import Change, snapshot

SUPERVISOR = ROOT / "deploy" / "kubernetes" / "components" / "dev" / "supervisor.py"

# The supervisor's answer if the service runs.
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
        code = snapshot(service)
        self._started, self._migrated = code.name, code.migrations

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
        code = snapshot(self._service)
        is_migrated = migrate is None or code.migrations == self._migrated
        if code.name == self._started and is_migrated:
            return  # Saving alone changes nothing.
        self._started = code.name
        _forget_compiled(change)
        try:
            if migrate and not is_migrated:
                migrate(self._service)
                self._migrated = code.migrations
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


def _forget_compiled(change: Change) -> None:
    """Delete the compiled files of the changed modules.

    Python would use that of a module that was saved twice within a second and has kept its size.
    """
    for path in change.paths:
        if path.suffix == ".py":
            Path(cache_from_source(str(path))).unlink(missing_ok=True)
