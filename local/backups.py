"""Backs up and restores the databases of `make up`: `make backup`, `make restore`.

A backup is a folder, named by its time in UTC, with a dump of each database by `pg_dump`:

    .local/backups/2026-11-26T03-17-00Z/thoughts.dump, users.dump

The backups of a cluster (`deploy/kubernetes/components/backup`) have the same form.
"""

import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from local import postgres_binaries
from local.folder import Folder
from local.lending import lent_server, own_server
from local.postgres import PostgresError, PostgresServer
from tooling.console import confirm, say, step
from tooling.failures import Failure
from tooling.project import ROOT

DATABASES = ("thoughts", "users")
_NAME = "%Y-%m-%dT%H-%M-%SZ"


def backup(environment: Mapping[str, str]) -> int:
    """Dump both databases into a new backup, whether the system runs or not."""
    folder = _used_folder()
    try:
        with step("Backing up"), lent_server(folder, "backup") as server:
            made = back_up(server, _backups(environment, folder))
    except (PostgresError, OSError) as error:
        raise Failure(f"{error}\nNothing was backed up.") from error
    say(f"Backed up to {made}")
    return 0


def restore(environment: Mapping[str, str]) -> int:
    """Replace both databases with those of a backup, by default the newest, after asking.

    Everybody has to log in again.
    """
    folder = _used_folder()
    chosen = _chosen(_backups(environment, folder), environment.get("BACKUP"))
    check(chosen)
    question = (
        f"This replaces every user and thought in {folder.path} with those of {chosen}. "
        "Everybody has to log in again."
    )
    confirm(question, environment)
    try:
        with own_server(folder, "restore") as server, step("Restoring"):
            restore_from(server, folder, chosen)
    except PostgresError as error:
        raise Failure(f"{error}\nNothing was restored: the data is as it was.") from error
    say(f"Restored {chosen}. `make up` starts the system, with new keys for tokens.")
    return 0


COMMANDS = {"backup": backup, "restore": restore}


def back_up(server: PostgresServer, backups: Path) -> Path:
    """Dump both databases into a new folder in `backups`; it appears when it is complete.

    Raises PostgresError.
    """
    backups.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=backups) as unfinished:
        made = Path(unfinished, datetime.now(UTC).strftime(_NAME))
        made.mkdir(mode=0o700)
        for name in DATABASES:
            options = ("--format=custom", f"--file={_dump(made, name)}", f"--dbname={name}")
            server.run_client("pg_dump", *options)
        return made.rename(backups / made.name)


def restore_from(server: PostgresServer, folder: Folder, backup: Path) -> None:
    """Restore both databases under other names, then replace the present ones in one step.

    Deletes the keys of the tokens; `make up` makes new ones. Rights are not restored: `make up`
    grants them when it migrates. If it raises PostgresError, the present databases and keys are
    unchanged; if it raises Failure, it is unknown whether they are.
    """
    passwords = asdict(folder.secrets())
    _drop_what_is_left(server)
    try:
        for name in DATABASES:
            _fill(server, name, passwords[name], _dump(backup, name))
        _replace(server, folder)
    except PostgresError:
        _drop_what_is_left(server)
        raise
    with suppress(PostgresError):  # The next restore drops what is left.
        _drop_what_is_left(server)


def _replace(server: PostgresServer, folder: Folder) -> None:
    """Replace the present databases by the restored ones, and delete the keys."""
    # Old tokens name ids of users and sessions that the restored databases will give to others. So
    # the keys are deleted first, and put back only if it is certain that nothing was replaced.
    keys = folder.take_keys()
    try:
        server.rename_databases(
            *((name, _replaced(name)) for name in DATABASES),
            *((_restored(name), name) for name in DATABASES),
        )
    except PostgresError as error:
        _check_unreplaced(server, error)
        folder.put_keys_back(keys)
        raise


def _check_unreplaced(server: PostgresServer, error: PostgresError) -> None:
    """Raise Failure unless a restored database still has its temporary name.

    The server may have done what the client reports as failed, for example if its answer was lost.
    """
    try:
        server.run_client("psql", "--no-psqlrc", f"--dbname={_restored('users')}", "--command=")
    except PostgresError:
        raise Failure(
            f"{error}\nIt is unknown whether the data was replaced: run `make restore` again."
        ) from error


def _fill(server: PostgresServer, name: str, password: str, dump: Path) -> None:
    """Restore a dump into a new database."""
    server.create_database(_restored(name), owner=name, password=password)
    # As the owner, not as the superuser: a dump can contain any statement.
    server.run_client(
        "pg_restore",
        *("--no-owner", "--no-privileges", "--single-transaction"),
        *(f"--dbname={_restored(name)}", str(dump)),
        user=name,
        password=password,
    )


def _drop_what_is_left(server: PostgresServer) -> None:
    for name in DATABASES:
        server.drop_database(_restored(name))
        server.drop_database(_replaced(name))


def check(backup: Path) -> None:
    """Raise Failure unless the folder has a dump of each database, judging by their headers."""
    for name in DATABASES:
        file = _dump(backup, name)
        done = subprocess.run(
            [postgres_binaries.program("pg_restore"), "--list", file],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode or f" dbname: {name}\n" not in done.stdout:
            reason = done.stderr.strip() or f"it is not a dump of the database {name}"
            raise Failure(f"{file} cannot be restored: {reason}\nNothing was done.")


def _used_folder() -> Folder:
    folder = Folder(ROOT / ".local")
    if not folder.postgres.exists():
        raise Failure("There are no databases yet: `make up` creates them.")
    return folder


def _backups(environment: Mapping[str, str], folder: Folder) -> Path:
    return Path(environment.get("BACKUP_FOLDER") or folder.backups).absolute()


def _chosen(backups: Path, name: str | None) -> Path:
    made = sorted(path.name for path in backups.glob("*Z"))
    if not made:
        raise Failure(f"There is no backup in {backups}. `make backup` makes one.")
    if name and name not in made:
        newest = "\n".join(f"  {other}" for other in made[-10:])
        raise Failure(f"There is no backup {name} in {backups}. The newest:\n{newest}")
    return backups / (name or made[-1])


def _dump(backup: Path, name: str) -> Path:
    return backup / f"{name}.dump"


def _restored(name: str) -> str:
    return f"{name}_restored"


def _replaced(name: str) -> str:
    return f"{name}_replaced"
