"""What the Makefile's verbs for the running system do: up, dev, down, logs, reset."""

import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Mapping

from local import background, development, messages
from local.console import complain, confirms, say, show_line, step
from local.failures import StackError
from local.folder import RESET_ADVICE, Folder, FolderError
from local.following import follow
from local.postgres import PostgresError, remove_data
from local.readiness import wait_until
from local.services import ROOT, SERVICES, Ports, ServiceOptions
from local.stack import Stack

STOP_SECONDS = 60
_CHECK_SECONDS = 0.2
_FOLDER = Folder(ROOT / ".local")


class UsageError(Exception):
    """A setting of the command does not fit; `str()` says which."""


def up(environment: Mapping[str, str]) -> int:
    """Run the system until it is stopped; with BACKGROUND=1 until it is ready, and leave it."""
    ports, options = _ports(environment), _options(environment)
    if environment.get("BACKGROUND"):
        return background.run(lambda ready: _run(ports, options, _watch, on_ready=ready))
    return _run(ports, options, _watch)


def dev(environment: Mapping[str, str]) -> int:
    """Run the system and restart each service when its code changes."""
    ports, options = _ports(environment), _options(environment)
    changes = development.watch_code()
    return _run(ports, options, lambda stack: development.reload_on_changes(stack, changes))


def down(_: Mapping[str, str]) -> int:
    """Stop the system that runs from this folder, wherever it was started."""
    pid = _FOLDER.runner_pid()
    if pid is None:
        say("MyThoughts is not running.")
        return 0
    os.kill(pid, signal.SIGTERM)
    with step("Stopping MyThoughts"):
        stopped = wait_until(lambda: _FOLDER.runner_pid() is None, seconds=STOP_SECONDS)
    if not stopped:
        complain(f"Process {pid} has not stopped after {STOP_SECONDS} s.")
    return 0 if stopped else 1


def logs(environment: Mapping[str, str]) -> int:
    """Show the last lines of each log, and new ones for as long as the system runs."""
    names = [*(service.name for service in SERVICES), "postgres"]
    if wanted := environment.get("SERVICE"):
        if wanted not in names:
            raise UsageError(f"SERVICE={wanted} is none of {', '.join(names)}.")
        names = [wanted]
    try:
        follow(
            {name: _FOLDER.logs / f"{name}.log" for name in names},
            while_=lambda: _FOLDER.runner_pid() is not None,
        )
    except KeyboardInterrupt:
        say()
    return 0


def reset(environment: Mapping[str, str]) -> int:
    """Delete the data, keys and passwords, after asking or with YES=1."""
    if not _FOLDER.path.exists():
        say("There is nothing to delete.")
        return 0
    question = f"This deletes every user and thought in {_FOLDER.path}, and the keys and passwords."
    if not environment.get("YES") and not confirms(question):
        complain("Nothing was deleted. To delete without being asked: make reset YES=1")
        return 1
    with _FOLDER.held():
        remove_data(_FOLDER.postgres)
        shutil.rmtree(_FOLDER.path)
    say("Deleted. `make up` starts over.")
    return 0


COMMANDS = {"up": up, "dev": dev, "down": down, "logs": logs, "reset": reset}


def main(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Run the command that is named; the exit status."""
    try:
        return COMMANDS[arguments[0]](environment)
    except (UsageError, FolderError, StackError) as error:
        complain(f"\n{error}")
    except PostgresError as error:
        complain(f"\n{error}\n\nIf its data are damaged: {RESET_ADVICE}")
    return 1


def _run(
    ports: Ports,
    options: ServiceOptions,
    watch: Callable[[Stack], None],
    on_ready: Callable[[], None] | None = None,
) -> int:
    """Start the system, let `watch` look after it, and stop it whatever happens."""
    shown = threading.Event()

    def show(name: str, line: str) -> None:
        if shown.is_set():
            show_line(name, line)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    started = time.monotonic()
    try:
        with _FOLDER.held():
            stack = Stack(_FOLDER, ports=ports, options=options, on_line=show, step=step)
            with stack:
                seconds = time.monotonic() - started
                say(messages.ready(stack, seconds=seconds, in_background=on_ready is not None))
                shown.set()
                if on_ready is not None:
                    on_ready()
                try:
                    watch(stack)
                finally:
                    shown.clear()
                    say()
    except KeyboardInterrupt:
        pass  # This is how a run ends.
    return 0


def _watch(stack: Stack) -> None:
    while True:
        stack.check()
        time.sleep(_CHECK_SECONDS)


def _stop(*_: object) -> None:
    """Turn the first of the signals into KeyboardInterrupt; stopping is not disturbed by more."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _ports(environment: Mapping[str, str]) -> Ports:
    wanted = {
        service.name: _port(environment, service.port_setting, service.default_port)
        for service in SERVICES
    }
    return Ports(**wanted, postgres=_port(environment, "POSTGRES_PORT", 0))


def _port(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise UsageError(f"{name}={text} is not a port: a number from 0 (any free one) to 65535.")
    return int(text)


def _options(environment: Mapping[str, str]) -> ServiceOptions:
    return ServiceOptions(
        log_level=environment.get("LOG_LEVEL") or "info",
        log_format=environment.get("LOG_FORMAT") or "console",
    )
