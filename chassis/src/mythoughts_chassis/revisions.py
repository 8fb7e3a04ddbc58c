"""Applying the revisions that a database does not have yet, with Alembic."""

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

from mythoughts_chassis.migrations import LOCK_TIMEOUT, MigrationError

_log = structlog.get_logger()


async def upgrade(owner_url: str, directory: Path) -> bool:
    """Upgrade the database to the newest revision; False if a later release has migrated it.

    Each revision is applied completely or not at all. Raises `MigrationError`.
    """
    # SQLAlchemy would interpret the options in an address differently.
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: asyncpg.connect(owner_url),
        poolclass=NullPool,
    )
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_upgrade, directory)
    except SQLAlchemyError as error:
        # The original error says more, in fewer lines, than SQLAlchemy's.
        raise MigrationError.because(getattr(error, "orig", error)) from error
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, directory: Path) -> bool:
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
        return False
    environment.run_migrations()
    connection.commit()
    return True
