"""Reads the table of thoughts for tests."""

import asyncpg

from benchmarks.generator import Row
from benchmarks.loading import connected


async def rows_of(database_url: str) -> list[Row]:
    """Return the generated columns of each thought, in the order of ids."""
    sql = "SELECT user_id, username, text, created_at FROM thoughts ORDER BY id"
    return [tuple(row) for row in await _fetch(database_url, sql)]


async def indexes_of(database_url: str) -> dict[str, tuple[int, str]]:
    """Return number and definition of each valid index, by name."""
    rows = await _fetch(
        database_url,
        """
        SELECT indexrelid::regclass::text, indexrelid, pg_get_indexdef(indexrelid)
        FROM pg_index WHERE indrelid = 'thoughts'::regclass AND indisvalid
        """,
    )
    return {name: (number, definition) for name, number, definition in rows}


async def definitions_of(database_url: str) -> list[str]:
    """Return the definitions of the valid indexes."""
    return sorted(definition for _, definition in (await indexes_of(database_url)).values())


async def copied_so_far(database_url: str) -> int:
    """Return how many rows a running COPY has stored."""
    rows = await _fetch(database_url, "SELECT tuples_processed FROM pg_stat_progress_copy")
    return sum(row[0] for row in rows)


async def end_copying(database_url: str) -> None:
    """End the session of a running COPY."""
    await _fetch(database_url, "SELECT pg_terminate_backend(pid) FROM pg_stat_progress_copy")


async def _fetch(database_url: str, sql: str) -> list[asyncpg.Record]:
    async with connected(database_url) as connection:
        return await connection.fetch(sql)
