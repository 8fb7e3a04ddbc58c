"""Replaces the processes of services when their code changes: `make dev`."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from local.stack import Stack
from tooling.failures import Failure
from tooling.lines import show_line
from tooling.project import SERVICES, Service
from tooling.supervision import READY, restart, supervised
from tooling.working_tree import Change, snapshot


class Supervisors:
    """The supervisors of the services, whose sockets are in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started = {service: snapshot(service).name for service in SERVICES}

    def command_of(self, service: Service) -> list[str | Path]:
        """The command that runs the service under its supervisor."""
        folder = self._folder / service.name
        folder.mkdir()
        return supervised(folder, service.command())

    def follow(self, stack: Stack, changes: Iterator[Change | None]) -> None:
        """Replace processes, endlessly, whenever their code or templates, or the chassis, change.

        `changes` must be watched since before the system started, so that none is missed. Raises
        Failure when a process of the system ends.
        """
        with ThreadPoolExecutor(len(SERVICES)) as pool:
            for change in changes:
                stack.check()
                if change is not None:
                    list(pool.map(partial(self._apply, change, stack), SERVICES))

    def _apply(self, change: Change, stack: Stack, service: Service) -> None:
        if change.is_of_packages(service):
            show_line(service.name, f"{change.title} changed: `make dev` installs when it starts")
        if not change.is_of_code(service) or not self._has_news(service):
            return
        try:
            if change.is_of_migrations(service):
                stack.migrate(service)
            outcome = restart(self._folder / service.name)
        except Failure as failure:
            outcome = str(failure)
        if outcome == READY:
            outcome = f"live after {time.time() - change.saved_at:.1f} s"
        else:
            outcome = f"the old process still serves: {outcome}"
        show_line(service.name, f"{change.title} changed: {outcome}")

    def _has_news(self, service: Service) -> bool:
        """Whether the code differs from what was started last: saving alone changes nothing."""
        before = self._started[service]
        self._started[service] = snapshot(service).name
        return self._started[service] != before
