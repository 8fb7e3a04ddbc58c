"""Puts generated thoughts into the database of the Thoughts Backend."""

import asyncpg

from benchmarks.generator import generate_rows

COLUMNS = ("user_id", "username", "text", "created_at")


async def load_thoughts(database_url: str, count: int) -> None:
    """Add `count` generated thoughts by COPY, and bring the planner's statistics up to date."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.copy_records_to_table(
            "thoughts", records=generate_rows(count), columns=COLUMNS, timeout=None
        )
        await connection.execute("VACUUM (ANALYZE) thoughts", timeout=None)
    finally:
        await connection.close()
