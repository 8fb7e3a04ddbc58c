"""Restarts services when their code changes."""

import time
from collections.abc import Iterator
from pathlib import Path

from watchfiles import Change, watch

from local.logs import show_line
from local.stack import Stack
from tooling.console import complain
from tooling.failures import Failure
from tooling.project import ROOT, SERVICES

_CHASSIS = ROOT / "chassis" / "src"
_CHECK_MILLISECONDS = 200
# A change causes several events (a temporary file, a new name, a new time); events within this
# time count as one.
_SETTLE_MILLISECONDS = 50


Changes = Iterator[set[tuple[Change, str]]]


def watch_code() -> Changes:
    """Watch the code from now on; yields empty sets at intervals while nothing changes."""
    folders = [_CHASSIS, *(service.folder / "src" for service in SERVICES)]
    changes = watch(
        *folders,
        step=_SETTLE_MILLISECONDS,
        rust_timeout=_CHECK_MILLISECONDS,
        yield_on_timeout=True,
    )
    # Watching starts with the first item.
    next(changes)
    return changes


def reload_on_changes(stack: Stack, changes: Changes) -> None:
    """Restart services, endlessly, whenever their code or templates, or the chassis, change.

    `changes` must be watched since before the system started, so that none is missed. A service
    that fails to restart is reported and started again at the next change. Raises Failure
    when PostgreSQL ends.
    """
    reported: set[str] = set()
    for batch in changes:
        stack.check("postgres")
        paths = [Path(path) for _, path in batch]
        if touched := services_of(paths):
            reported -= touched
            # An editor's temporary files come and go with the change.
            _restart(stack, touched, next((path for path in paths if path.exists()), paths[0]))
        for name in stack.services.keys() - reported:
            reported |= _report_end(stack, name)


def services_of(paths: list[Path]) -> set[str]:
    """The names of the services that use one of the files."""
    if any(path.is_relative_to(_CHASSIS) for path in paths):
        return {service.name for service in SERVICES}
    return {
        service.name
        for service in SERVICES
        if any(path.is_relative_to(service.folder) for path in paths)
    }


def _restart(stack: Stack, names: set[str], changed: Path) -> None:
    started = time.monotonic()
    try:
        stack.restart(*sorted(names))
    except Failure:
        return  # It has ended, which is reported below, or is not ready, as its log shows.
    for name in sorted(names):
        seconds = time.monotonic() - started
        show_line(name, f"{changed.name} changed: ready again after {seconds:.1f} s")


def _report_end(stack: Stack, name: str) -> set[str]:
    process = stack.services[name]
    if process.exit_status is None:
        return set()
    complain(f"\n{name} {process.ending}. It restarts when its code changes.\n")
    return {name}
