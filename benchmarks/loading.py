"""Loads generated thoughts into the database of the Thoughts Backend: all of them or none."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from typing import TypeAlias

import asyncpg

from benchmarks.generator import BATCH, generate_rows
from tooling.failures import Failure

COLUMNS = ("user_id", "username", "text", "created_at")
# While this lock is waited for, readers and writers queue behind it.
_SETTINGS = "SET LOCAL lock_timeout = '30s'; SET LOCAL maintenance_work_mem = '512MB'"

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

# Returns a context manager for a part of the work, given its name.
Step = Callable[[str], AbstractContextManager[None]]


@asynccontextmanager
async def connected(
    database_url: str, settings: dict[str, str] | None = None
) -> AsyncIterator[Connection]:
    """A connection to a database; `settings` are those of PostgreSQL for its session."""
    connection = await asyncpg.connect(database_url, server_settings=settings)
    try:
        yield connection
    finally:
        await connection.close()


async def load_thoughts(database_url: str, count: int, *, start: int = 0) -> None:
    """Call `add_thoughts`, then `update_statistics`."""
    await add_thoughts(database_url, count, start=start)
    await update_statistics(database_url)


async def add_thoughts(
    database_url: str, count: int, *, start: int = 0, step: Step = lambda _: nullcontext()
) -> None:
    """Add the thoughts number `start` to `start + count - 1` of the generator by COPY.

    It is one transaction, which locks the table: all indexes except the primary key are dropped,
    and rebuilt as they were after the rows are loaded. If the table holds more thoughts than are
    added, rebuilding would take longer, and the indexes stay.

    Raises Failure, OSError or `asyncpg.PostgresError`; then nothing was loaded.
    """
    async with connected(database_url) as connection:
        # If it is not committed, closing the connection rolls it back.
        transaction = connection.transaction()
        await transaction.start()
        present = await count_thoughts(connection)
        await connection.execute(_SETTINGS)
        # Adding an entry to an existing index costs about twice as much as building it in.
        indexes = await _drop_indexes(connection) if count >= present else {}
        with step("Copying"):
            await _copy(connection, start, count)
        for name, definition in indexes.items():
            with step(f"Building the index {name}"):
                await connection.execute(definition, timeout=None)
        await transaction.commit()


async def update_statistics(database_url: str) -> None:
    """Update the planner's statistics and the visibility map of the table."""
    async with connected(database_url) as connection:
        # Without INDEX_CLEANUP the entries of a few deleted thoughts stay, and lists read them.
        sql = "VACUUM (ANALYZE, INDEX_CLEANUP ON) thoughts"
        await connection.execute(sql, timeout=None)


async def count_thoughts(connection: Connection, *, first_user_id: int = 1) -> int:
    """Return how many thoughts users from `first_user_id` on have shared; raises Failure."""
    try:
        return int(
            await connection.fetchval(
                "SELECT count(*) FROM thoughts WHERE user_id >= $1", first_user_id, timeout=None
            )
        )
    except asyncpg.UndefinedTableError:
        raise Failure(
            "This database has no table of thoughts. `make up` creates it on this machine; "
            "elsewhere use `python -m thoughts_backend migrate`."
        ) from None


async def _drop_indexes(connection: Connection) -> dict[str, str]:
    """Drop the indexes that no constraint needs; return the statement that creates each."""
    rows = await connection.fetch("""
        SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid)
        FROM pg_index
        WHERE indrelid = 'thoughts'::regclass
          AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
        ORDER BY indexrelid
    """)
    for name, _ in rows:
        await connection.execute(f"DROP INDEX {name}")
    return dict(tuple(row) for row in rows)


async def _copy(connection: Connection, start: int, count: int) -> None:
    await connection.copy_to_table(
        "thoughts",
        source=_batches(connection, start, start + count),
        columns=COLUMNS,
        format="csv",
        timeout=None,
    )


async def _batches(connection: Connection, start: int, stop: int) -> AsyncIterator[bytes]:
    """Yield rows as CSV, generated in a thread, so that PostgreSQL can store others meanwhile."""
    for first in range(start - start % BATCH, stop, BATCH):
        part = range(max(start, first), min(stop, first + BATCH))
        rows = await asyncio.to_thread(_csv, part)
        # asyncpg would keep sending.
        if connection.is_closed():
            raise Failure("The connection to the database was lost.")
        yield rows


def _csv(part: range) -> bytes:
    file = io.StringIO()
    csv.writer(file).writerows(generate_rows(len(part), start=part.start))
    return file.getvalue().encode()
