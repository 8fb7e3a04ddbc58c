"""Puts generated thoughts into the database of the Thoughts Backend: all of them or none."""

import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg

from benchmarks.batches import copied_rows
from benchmarks.generator import BATCH
from benchmarks.indexes import Show, create_indexes, drop_indexes, show_nothing

COLUMNS = ("user_id", "username", "text", "created_at")
# Adding one entry to the search index costs as much as adding this many to a new one.
REBUILD_WORTH = 5

# Readers and writers wait behind this lock while it is awaited, too.
_SETTINGS = "SET LOCAL lock_timeout = '30s'; SET LOCAL maintenance_work_mem = '512MB'"


class LoadError(Exception):
    """The database cannot take thoughts; `str()` says why and what to do."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """How long each part took; `index_seconds` is 0 where the indexes were left in place."""

    thoughts: int
    copy_seconds: float
    index_seconds: float
    vacuum_seconds: float

    @property
    def seconds(self) -> float:
        """All of it."""
        return self.copy_seconds + self.index_seconds + self.vacuum_seconds


async def load_thoughts(
    database_url: str,
    count: int,
    *,
    start: int = 0,
    processes: int = os.cpu_count() or 1,
    show: Show = show_nothing,
) -> Loaded:
    """Add the thoughts number `start` to `start + count - 1` of the generator by COPY.

    It is one transaction, which keeps everybody else out of the table: the indexes but the primary
    key are dropped, and made again as they were when the rows are there. Where there are so many
    thoughts already that this would take longer, they stay. At the end the planner's statistics
    are brought up to date. `show` hears of each part how far it is.

    Raises `LoadError`, `MakerEnded`, OSError or `asyncpg.PostgresError`; then nothing was loaded.
    """
    connection = await asyncpg.connect(database_url)
    try:
        started = time.monotonic()
        async with connection.transaction():
            present = await count_thoughts(connection)
            await connection.execute(_SETTINGS)
            rebuilds = present < count * REBUILD_WORTH
            indexes = await drop_indexes(connection) if rebuilds else []
            await _copy(connection, start, count, processes, show)
            copied = time.monotonic()
            await create_indexes(connection, database_url, indexes, show)
            indexed = time.monotonic()
        show("Bringing statistics up to date", 0)
        await connection.execute("VACUUM (ANALYZE) thoughts", timeout=None)
        show("Bringing statistics up to date", 1)
        return Loaded(count, copied - started, indexed - copied, time.monotonic() - indexed)
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
            "This database has no table of thoughts. `make up` makes the one of this machine; "
            "elsewhere `python -m thoughts_backend migrate` does."
        ) from None


async def _copy(
    connection: "asyncpg.Connection[asyncpg.Record]",
    start: int,
    count: int,
    processes: int,
    show: Show,
) -> None:
    with copied_rows(start, count, processes=processes) as pieces:
        await connection.copy_to_table(
            "thoughts",
            source=_watched(pieces, count, show),
            columns=COLUMNS,
            format="csv",
            timeout=None,
        )


async def _watched(pieces: AsyncIterator[bytes], count: int, show: Show) -> AsyncIterator[bytes]:
    copied = 0
    async for piece in pieces:
        show("Copying", min(1, copied / count))
        yield piece
        copied += BATCH
    show("Copying", 1)
