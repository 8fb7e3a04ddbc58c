"""The embedded PostgreSQL server."""

from collections.abc import Callable

import asyncpg


async def _ask(url: str, sql: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_database_knows_the_letters_of_all_scripts(new_database: Callable[[], str]) -> None:
    """A database has the character classes of Unicode, which pg_trgm needs for Chinese text."""
    url = new_database()

    row = await _ask(
        url,
        "SELECT concat_ws(' ', pg_encoding_to_char(encoding), datlocprovider, datlocale, datctype)"
        " FROM pg_database WHERE datname = current_database()",
    )

    assert row == "UTF8 b C.UTF-8 C.UTF-8"
