"""Replaces the processes of services when their code changes: `make dev`."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from local.stack import Stack
from tooling.project import SERVICES, Service
from tooling.supervision import SupervisedService
from tooling.working_tree import Change


class Supervisors:
    """The supervisors of the services, whose sockets are in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._services = {
            service: SupervisedService(service, folder / service.name) for service in SERVICES
        }

    def command_of(self, service: Service) -> list[str | Path]:
        """The command that runs the service under its supervisor."""
        return self._services[service].command

    def follow(self, stack: Stack, changes: Iterator[Change | None]) -> None:
        """Replace processes, endlessly, whenever their code or templates, or the chassis, change.

        `changes` must be watched since before the system started, so that none is missed. Raises
        Failure when a process of the system ends.
        """
        with ThreadPoolExecutor(len(SERVICES)) as pool:
            for change in changes:
                stack.check()
                if change is not None:
                    list(pool.map(partial(_apply, change, stack), self._services.values()))


def _apply(change: Change, stack: Stack, service: SupervisedService) -> None:
    service.apply(change, stack.migrate)
