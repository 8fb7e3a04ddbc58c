"""The database of the search benchmark: its number of thoughts, their authors and contents."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from benchmarks.client import Ask
from benchmarks.generator import FIRST_USER_ID
from benchmarks.loading import add_thoughts, count_thoughts, update_statistics
from local.console import step

# A demonstration user, whose few thoughts are the oldest of all.
QUIET_AUTHOR = "stephen"

_DELETE_SHARED = """
    DELETE FROM thoughts WHERE user_id < $1
    AND id > (SELECT min(id) FROM thoughts WHERE user_id >= $1)
"""
_EXCERPT = """
    SELECT user_id, username, folded_text FROM thoughts WHERE user_id >= $1 ORDER BY id LIMIT $2
"""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The first generated thoughts, folded as for search, and their most frequent author."""

    texts: list[str]
    prolific_id: int
    prolific: str


async def load_up_to(database_url: str, size: int) -> bool:
    """Load generated thoughts up to `size`; return False if there are more already.

    Thoughts shared by an earlier measurement are deleted first.
    """
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(_DELETE_SHARED, FIRST_USER_ID, timeout=None)
        present = await count_thoughts(connection, first_user_id=FIRST_USER_ID)
    finally:
        await connection.close()
    if present < size:
        await add_thoughts(database_url, size - present, start=present, step=step)
    with step("Updating the statistics"):
        await update_statistics(database_url)
    return present <= size


async def take_excerpt(database_url: str, count: int) -> Excerpt:
    """Return the oldest generated thoughts, `count` of them."""
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch(_EXCERPT, FIRST_USER_ID, count, timeout=None)
    finally:
        await connection.close()
    ((author, _),) = Counter((user_id, username) for user_id, username, _ in rows).most_common(1)
    return Excerpt([text for _, _, text in rows], *author)


async def count_matches(database_url: str, asks: Sequence[Ask]) -> dict[tuple[str, str], int]:
    """Count each term's thoughts, of an author if given, by reading the whole table once."""
    pairs = sorted({(ask.term, ask.username) for ask in asks})
    arguments: list[str] = []
    counts = []
    for term, username in pairs:
        arguments.append(term.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_"))
        condition = f"folded_text LIKE '%' || ${len(arguments)}::text || '%'"
        if username:
            arguments.append(username)
            condition += f" AND username = ${len(arguments)}"
        counts.append(f"count(*) FILTER (WHERE {condition})")
    connection = await asyncpg.connect(
        database_url, server_settings={"jit": "off", "plan_cache_mode": "force_custom_plan"}
    )
    try:
        sql = f"SELECT {', '.join(counts)} FROM thoughts"  # noqa: S608 (terms are arguments)
        (row,) = await connection.fetch(sql, *arguments, timeout=None)
    finally:
        await connection.close()
    return dict(zip(pairs, row, strict=True))
