"""Loads generated thoughts into the database of the Thoughts Backend: all of them or none."""

import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg

from benchmarks.batches import copied_rows
from benchmarks.generator import BATCH
from benchmarks.indexes import create_indexes, drop_indexes
from benchmarks.progress import Show, show_nothing

COLUMNS = ("user_id", "username", "text", "created_at")
# While this lock is waited for, readers and writers queue behind it.
_SETTINGS = "SET LOCAL lock_timeout = '30s'; SET LOCAL maintenance_work_mem = '512MB'"


class LoadError(Exception):
    """Thoughts cannot be loaded into the database; `str()` says why and what to do."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The time for the rows, and for the indexes if they were rebuilt."""

    thoughts: int
    copy_seconds: float
    index_seconds: float | None


async def load_thoughts(
    database_url: str, count: int, *, start: int = 0, show: Show = show_nothing
) -> Loaded:
    """Call `add_thoughts`, then `update_statistics`."""
    loaded = await add_thoughts(database_url, count, start=start, show=show)
    await update_statistics(database_url)
    return loaded


async def add_thoughts(
    database_url: str, count: int, *, start: int = 0, show: Show = show_nothing
) -> Loaded:
    """Add the thoughts number `start` to `start + count - 1` of the generator by COPY.

    It is one transaction, which locks the table: all indexes except the primary key are dropped,
    and rebuilt as they were after the rows are loaded. If the table holds more thoughts than are
    added, rebuilding would take longer, and the indexes stay. `show` is called with the progress
    of each part.

    Raises `LoadError`, `MakerEnded`, OSError or `asyncpg.PostgresError`; then nothing was loaded.
    """
    connection = await asyncpg.connect(database_url)
    try:
        started = time.monotonic()
        # If it is not committed, closing the connection rolls it back.
        transaction = connection.transaction()
        await transaction.start()
        present = await count_thoughts(connection)
        await connection.execute(_SETTINGS)
        # Adding an entry to an existing index costs about twice as much as building it in.
        indexes = await drop_indexes(connection) if count >= present else []
        await _copy(connection, start, count, show)
        copied = time.monotonic()
        await create_indexes(connection, database_url, indexes, show)
        await transaction.commit()
        indexed = time.monotonic()
        return Loaded(count, copied - started, indexed - copied if indexes else None)
    finally:
        await connection.close()


async def update_statistics(database_url: str) -> None:
    """Update the planner's statistics and the visibility map of the table."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("VACUUM (ANALYZE) thoughts", timeout=None)
    finally:
        await connection.close()


async def count_thoughts(
    connection: "asyncpg.Connection[asyncpg.Record]", *, first_user_id: int = 1
) -> int:
    """Return how many thoughts users from `first_user_id` on have shared; raises `LoadError`."""
    try:
        return int(
            await connection.fetchval(
                "SELECT count(*) FROM thoughts WHERE user_id >= $1", first_user_id, timeout=None
            )
        )
    except asyncpg.UndefinedTableError:
        raise LoadError(
            "This database has no table of thoughts. `make up` creates it on this machine; "
            "elsewhere use `python -m thoughts_backend migrate`."
        ) from None


async def _copy(
    connection: "asyncpg.Connection[asyncpg.Record]", start: int, count: int, show: Show
) -> None:
    with copied_rows(start, count, processes=os.cpu_count() or 1) as pieces:
        await connection.copy_to_table(
            "thoughts",
            source=_watched(pieces, connection, count, show),
            columns=COLUMNS,
            format="csv",
            timeout=None,
        )


async def _watched(
    pieces: AsyncIterator[bytes],
    connection: "asyncpg.Connection[asyncpg.Record]",
    count: int,
    show: Show,
) -> AsyncIterator[bytes]:
    copied = 0
    show("Copying", 0)
    async for piece in pieces:
        # asyncpg would keep sending although the connection is closed.
        if connection.is_closed():
            raise LoadError("The connection to the database was lost.")
        yield piece
        copied = min(count, copied + BATCH)
        show("Copying", copied / count)
