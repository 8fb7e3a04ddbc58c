"""Schema migrations: Alembic revisions, safe to apply from any number of replicas at once.

A service keeps its revisions in `migrations/versions/` inside its package, as SQL in
`op.execute`, in files named by their numbers. Under an advisory lock one replica migrates while
the others wait, then find nothing left to do. Every pod begins with this, so Alembic, which takes
longer to import than all the rest, is used only if there is something to do.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import asyncpg
import structlog

from mythoughts_chassis.commands import CommandError
from mythoughts_chassis.database import CONNECT_SECONDS, Connection
from mythoughts_chassis.logs import first_line
from mythoughts_chassis.rights import grant_rights, role_in
from mythoughts_chassis.settings import OwnerSettings, Secret

LOCK_NUMBER = 5_071_962
# A migration that does not get its table lock in time gives up: while it waits, it blocks all
# later queries on the table.
LOCK_TIMEOUT = "5s"
# The intervals between attempts to reach the database, and between log lines about them.
TRY_AGAIN_SECONDS = 1.0
SAY_AGAIN_SECONDS = 5.0

_log = structlog.get_logger()


class MigrationError(CommandError):
    """The database is unavailable, or a revision could not be applied."""

    @classmethod
    def because(cls, error: BaseException) -> Self:
        """Return the error that gives this reason."""
        return cls(f"the database was not migrated: {first_line(error) or type(error).__name__}")


async def wait_for_database(read_settings: Callable[[], OwnerSettings]) -> OwnerSettings:
    """Wait until the owner can connect, log why it cannot, and return the settings.

    They are read again for each attempt: a wrong password in a file may have been corrected.
    """
    say_at = time.monotonic()
    while True:
        settings = read_settings()
        url = settings.owner_url.reveal()
        try:
            connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS)
        except (
            asyncpg.PostgresError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,
            OSError,
        ) as error:
            if time.monotonic() >= say_at:
                say_at = time.monotonic() + SAY_AGAIN_SECONDS
                _log.warning(
                    "waiting for the database",
                    error=type(error).__name__,
                    reason=first_line(error),
                )
            await asyncio.sleep(TRY_AGAIN_SECONDS)
        else:
            await connection.close()
            return settings


async def migrate(owner_url: Secret, directory: Path, *, service_url: Secret) -> None:
    """Upgrade the database to the newest revision in `directory`, as its owner.

    Each revision is applied completely or not at all. Then the role in `service_url` gets the
    rights of a service, unless it is the owner. Raises `MigrationError`.
    """
    try:
        await _migrate(owner_url.reveal(), directory, role_in(service_url))
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise MigrationError.because(error) from error


async def _migrate(owner_url: str, directory: Path, role: str) -> None:
    connection = await asyncpg.connect(owner_url)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK_NUMBER)
        await connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
        if await _revision(connection) != _newest_revision(directory):
            from mythoughts_chassis.revisions import upgrade  # noqa: PLC0415 (slow to import)

            if not await upgrade(owner_url, directory):
                return
        async with connection.transaction():
            await grant_rights(connection, role)
        _log.info("database migrated", revision=_newest_revision(directory))
    finally:
        await connection.close()


async def _revision(connection: Connection) -> str | None:
    try:
        found: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        return None
    return found


def _newest_revision(directory: Path) -> str:
    return max(file.stem.partition("_")[0] for file in (directory / "versions").glob("[0-9]*.py"))
