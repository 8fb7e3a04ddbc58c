"""The Makefile's verbs for the running system.

`up` and `dev` are in `running`, `backup` and `restore` in `backups`. Nothing here needs a package:
any Python can stop a running system, whatever the state of `.venv`.
"""

import os
import shutil
import signal
from collections.abc import Mapping

from local.folder import Folder
from local.logs import follow
from local.postgres import remove_data
from tooling.console import complain, confirm, say, step
from tooling.failures import Failure
from tooling.project import ROOT, SERVICES
from tooling.readiness import wait_until
from tooling.settings import choice

STOP_SECONDS = 60
_FOLDER = Folder(ROOT / ".local")


def down(_: Mapping[str, str]) -> int:
    """Stop the system that runs from this folder, wherever it was started."""
    holder = _FOLDER.holder()
    if holder is None:
        say("MyThoughts is not running.")
        return 0
    if not holder.runs_the_system:
        raise Failure(f"MyThoughts is not running. {holder}")
    pid = holder.pid
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        pass  # It has just ended.
    except PermissionError:
        raise Failure(f"Process {pid} belongs to another user: stop it as that user.") from None
    with step("Stopping MyThoughts"):
        stopped = wait_until(lambda: _FOLDER.holder() is None, seconds=STOP_SECONDS)
    if not stopped:
        complain(f"Process {pid} has not stopped after {STOP_SECONDS} s.")
    return 0 if stopped else 1


def logs(environment: Mapping[str, str]) -> int:
    """Show the last lines of each log, then follow them while the system runs."""
    names = [*(service.name for service in SERVICES), "postgres"]
    if environment.get("SERVICE"):
        names = [choice(environment, "SERVICE", names)]
    paths = {name: _FOLDER.logs / f"{name}.log" for name in names}
    if not any(path.exists() for path in paths.values()):
        say("MyThoughts is not running, and there are no logs. `make up` starts it.")
        return 0
    try:
        follow(paths, while_=lambda: _FOLDER.holder() is not None)
    except KeyboardInterrupt:
        say()
    return 0


def reset(environment: Mapping[str, str]) -> int:
    """Delete the data, keys and passwords, after asking or with YES=1; backups stay."""
    if not _FOLDER.path.exists():
        say("There is nothing to delete.")
        return 0
    question = f"This deletes every user and thought in {_FOLDER.path}, and the keys and passwords."
    confirm(question, environment)
    with _FOLDER.held("reset"):
        remove_data(_FOLDER.postgres)
        _delete_all_but_backups()
    kept = f" The backups in {_FOLDER.backups} are kept." if _FOLDER.backups.exists() else ""
    say(f"Deleted. `make up` starts over.{kept}")
    return 0


def _delete_all_but_backups() -> None:
    if not _FOLDER.backups.exists():
        shutil.rmtree(_FOLDER.path)
        return
    for path in _FOLDER.path.iterdir():
        if path.is_dir() and path != _FOLDER.backups:
            shutil.rmtree(path)
        elif path != _FOLDER.backups:
            path.unlink()


COMMANDS = {"down": down, "logs": logs, "reset": reset}


def main(verb: str, environment: Mapping[str, str]) -> int:
    """Run the verb; return the exit status. Raises Failure."""
    if verb in COMMANDS:
        return COMMANDS[verb](environment)
    # Imported here, because the packages that it needs may be missing.
    from local import backups, running  # noqa: PLC0415

    return {**running.COMMANDS, **backups.COMMANDS}[verb](environment)
