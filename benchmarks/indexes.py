"""Drops the indexes of the thoughts, whatever they are, and rebuilds them as they were."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import asyncpg

from benchmarks.progress import Show

_WATCH_SECONDS = 0.5
# PostgreSQL still has work to do after it has read every row.
_ALMOST = 0.99


@dataclass(frozen=True, slots=True)
class Index:
    """An index and the statement that creates it."""

    name: str
    definition: str


async def drop_indexes(connection: "asyncpg.Connection[asyncpg.Record]") -> list[Index]:
    """Drop the indexes that no constraint needs, and return them."""
    rows = await connection.fetch("""
        SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
        FROM pg_index
        WHERE indrelid = 'thoughts'::regclass
          AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
        ORDER BY indexrelid
    """)
    indexes = [Index(*row) for row in rows]
    for index in indexes:
        await connection.execute(f"DROP INDEX {index.name}")
    return indexes


async def create_indexes(
    connection: "asyncpg.Connection[asyncpg.Record]",
    database_url: str,
    indexes: list[Index],
    show: Show,
) -> None:
    """Create indexes over `connection`; another connection watches PostgreSQL's progress."""
    for index in indexes:
        label = f"Making the index {index.name}"
        show(label, 0)
        async with _watching(database_url, connection.get_server_pid(), label, show):
            await connection.execute(index.definition, timeout=None)
        show(label, 1)


@asynccontextmanager
async def _watching(database_url: str, pid: int, label: str, show: Show) -> AsyncIterator[None]:
    task = asyncio.create_task(_watch(database_url, pid, label, show))
    try:
        yield
    finally:
        task.cancel()
        # If the progress cannot be read, the index is created all the same.
        with suppress(asyncio.CancelledError, OSError, asyncpg.PostgresError):
            await task


async def _watch(database_url: str, pid: int, label: str, show: Show) -> None:
    connection = await asyncpg.connect(database_url)
    furthest = 0.0
    try:
        while True:
            share = await connection.fetchval(
                """
                SELECT greatest(
                    blocks_done::float / nullif(blocks_total, 0),
                    tuples_done::float / nullif(tuples_total, 0)
                ) FROM pg_stat_progress_create_index WHERE pid = $1
                """,
                pid,
            )
            # After the rows PostgreSQL counts the blocks it writes, from 0 again.
            furthest = max(furthest, min(share or 0, _ALMOST))
            show(label, furthest)
            await asyncio.sleep(_WATCH_SECONDS)
    finally:
        await connection.close()
