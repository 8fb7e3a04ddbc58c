"""Schema migrations: Alembic revisions, safe to apply from any number of replicas at once.

A service keeps its revisions in `migrations/versions/` inside its package, as SQL in
`op.execute`. Under an advisory lock one replica migrates while the others wait, then find
nothing left to do.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import asyncpg
import structlog
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from mythoughts_chassis.commands import CommandError
from mythoughts_chassis.database import CONNECT_SECONDS
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


def wait_for_database(read_settings: Callable[[], OwnerSettings]) -> OwnerSettings:
    """Wait until the owner can connect, log why it cannot, and return the settings.

    They are read again for each attempt: a wrong password in a file may have been corrected.
    """
    return asyncio.run(_wait_for_database(read_settings))


def migrate(owner_url: Secret, directory: Path, *, service_url: Secret) -> None:
    """Upgrade the database to the newest revision in `directory`, as its owner.

    Each revision is applied completely or not at all. Then the role in `service_url` gets the
    rights of a service, unless it is the owner. Raises `MigrationError`.
    """
    try:
        asyncio.run(_migrate(owner_url.reveal(), directory, role_in(service_url)))
    except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        # The original error says more, in fewer lines, than SQLAlchemy's.
        cause = getattr(error, "orig", error)
        reason = first_line(cause) or type(cause).__name__
        raise MigrationError(f"the database was not migrated: {reason}") from error


async def _migrate(owner_url: str, directory: Path, role: str) -> None:
    # SQLAlchemy would interpret the options in an address differently.
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: asyncpg.connect(owner_url),
        poolclass=NullPool,
    )
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_upgrade, directory, role)
    finally:
        await engine.dispose()


async def _wait_for_database(read_settings: Callable[[], OwnerSettings]) -> OwnerSettings:
    say_at = time.monotonic()
    while True:
        settings = read_settings()
        url = settings.owner_url.reveal()
        try:
            connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS)
        except (asyncpg.PostgresError, asyncpg.InternalClientError, OSError) as error:
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


def _upgrade(connection: Connection, directory: Path, role: str) -> None:
    connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": LOCK_NUMBER})
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.commit()
    config = Config()
    config.set_main_option("script_location", str(directory).replace("%", "%%"))
    script = ScriptDirectory.from_config(config)
    known = {revision.revision for revision in script.walk_revisions()}
    environment = EnvironmentContext(config, script)
    environment.configure(
        connection=connection,
        transaction_per_migration=True,
        # What Alembic's own `upgrade` command does; it has no public name.
        fn=lambda revision, _: script._upgrade_revs("head", revision),  # noqa: SLF001
    )
    present = environment.get_context().get_current_heads()
    connection.commit()
    # After a rollback, or if a pod is moved during a rollout, this release runs on the schema of
    # the next one, which is compatible.
    if any(revision not in known for revision in present):
        _log.warning("database is newer than this release", revision=present[0])
        return
    environment.run_migrations()
    connection.commit()
    grant_rights(connection, role)
    connection.commit()
    _log.info("database migrated", revision=script.get_current_head())
