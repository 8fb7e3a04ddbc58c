"""Runs the system in the foreground or background: `make up` and `make dev`."""

import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from local import background
from local.folder import Folder
from local.services import HOST, PORT_SETTINGS
from local.stack import CommandOf, Stack
from tooling import messages
from tooling.console import say, step
from tooling.failures import Failure
from tooling.lines import show_line
from tooling.program import heed_signals
from tooling.project import ROOT, SERVICES, Service
from tooling.settings import MAX_PORT, number
from tooling.supervision import SupervisedService, private_folder
from tooling.working_tree import Change, watch_code

_CHECK_SECONDS = 0.2


def up(environment: Mapping[str, str]) -> int:
    """Run the system until it is stopped; with BACKGROUND=1 return as soon as it is ready."""
    ports = _ports(environment)
    if environment.get("BACKGROUND"):
        return background.run(lambda ready: _run(environment, ports, _watch, on_ready=ready))
    return _run(environment, ports, _watch)


def dev(environment: Mapping[str, str]) -> int:
    """Run the system and replace the process of each service when its code changes."""
    if environment.get("SERVICE") or environment.get("DEBUGGER"):
        raise Failure(
            "`make dev` runs all services; SERVICE and DEBUGGER are for one that runs here among "
            "the others in a cluster: make dev SERVICE=frontend CLUSTER=1"
        )
    ports, changes = _ports(environment), watch_code()
    with private_folder() as folder:
        supervised = {
            service: SupervisedService(service, folder / service.name) for service in SERVICES
        }
        return _run(
            environment,
            ports,
            lambda stack: _replace(stack, changes, supervised.values()),
            command_of=lambda service: supervised[service].command,
        )


COMMANDS = {"up": up, "dev": dev}


def _run(
    environment: Mapping[str, str],
    ports: Mapping[str, int],
    watch: Callable[[Stack], None],
    on_ready: Callable[[], None] | None = None,
    command_of: CommandOf = Service.command,
) -> int:
    """Start the system, run `watch` on it, and stop it whatever happens.

    A signal to stop is the usual end of `watch`; before the system is ready it raises
    KeyboardInterrupt.
    """
    shown = threading.Event()

    def show(name: str, line: str) -> None:
        if shown.is_set():
            show_line(name, line)

    heed_signals(_stop)
    folder, started = Folder(ROOT / ".local"), time.monotonic()
    with folder.held():
        settings = _settings(environment)
        stack = Stack(
            folder,
            ports=ports,
            settings=settings,
            command_of=command_of,
            on_line=show,
            step=step,
        )
        with stack, suppress(KeyboardInterrupt):
            seconds = time.monotonic() - started
            say(_ready_message(stack, seconds=seconds, in_background=on_ready is not None))
            shown.set()
            if on_ready is not None:
                on_ready()
            try:
                watch(stack)
            finally:
                shown.clear()
                say()
    return 0


def _watch(stack: Stack) -> None:
    while True:
        stack.check()
        time.sleep(_CHECK_SECONDS)


def _replace(
    stack: Stack, changes: Iterator[Change | None], services: Iterable[SupervisedService]
) -> None:
    """Replace the process of each service, endlessly, whenever its code changes.

    The caller must have begun to watch `changes` before the system started, so that none is missed.
    """
    pool = ThreadPoolExecutor(len(SERVICES))
    try:
        for change in changes:
            stack.check()
            if change is not None:
                for done in [pool.submit(each.apply, change, stack.migrate) for each in services]:
                    done.result()
    finally:
        # Threads that wait for new code end with the supervisors, which are stopped next.
        pool.shutdown(wait=False)


def _stop(*_: object) -> None:
    """Raise KeyboardInterrupt on the first signal; ignore further ones while stopping."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _ports(environment: Mapping[str, str]) -> dict[str, int]:
    """The wanted port of each process; 0 means any free one."""
    defaults = {service.name: service.default_port for service in SERVICES}
    what = f"a port: a number from 0 (any free one) to {MAX_PORT}"
    return {
        name: number(environment, setting, defaults.get(name, 0), of=range(MAX_PORT + 1), what=what)
        for name, setting in PORT_SETTINGS.items()
    }


def _settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The settings that are passed on to every service."""
    defaults = {"LOG_LEVEL": "info", "LOG_FORMAT": "console", "REGISTRATION": "closed"}
    return {name: environment.get(name) or default for name, default in defaults.items()}


def _ready_message(stack: Stack, *, seconds: float, in_background: bool) -> str:
    urls = {name: url.replace(HOST, "localhost") for name, url in stack.urls.items()}
    ending = "`make down` stops it, and `make logs` shows its logs."
    if not in_background:
        ending = "Ctrl-C stops everything, as does `make down` from another terminal."
    return f"""
MyThoughts is ready after {seconds:.1f} s.

{messages.pages(urls)}
  {"PostgreSQL":18}{HOST}:{stack.postgres.port}, passwords in .local/secrets.json

{messages.accounts(".local/admin-password")}

  {ending}
"""
