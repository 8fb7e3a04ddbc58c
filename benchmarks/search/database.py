"""The database of the search benchmark: loads thoughts, and counts those with a term."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks.client import Ask
from benchmarks.generator import FIRST_USER_ID
from benchmarks.loading import add_thoughts, connected, count_thoughts, update_statistics
from tooling.console import step

_DELETE_SHARED = """
    DELETE FROM thoughts WHERE user_id < $1
    AND id > (SELECT min(id) FROM thoughts WHERE user_id >= $1)
"""


async def load_up_to(database_url: str, size: int) -> bool:
    """Load generated thoughts up to `size`; return False if there are more already.

    Thoughts shared by an earlier measurement are deleted first.
    """
    async with connected(database_url) as connection:
        await connection.execute(_DELETE_SHARED, FIRST_USER_ID, timeout=None)
        present = await count_thoughts(connection, first_user_id=FIRST_USER_ID)
    if present < size:
        await add_thoughts(database_url, size - present, start=present, step=step)
    with step("Updating the statistics"):
        await update_statistics(database_url)
    return present <= size


def matches_of(
    database_url: str, asks: Sequence[Ask], kept: Path | None
) -> dict[tuple[str, str], int]:
    """Return the number of each term's thoughts, of an author if given.

    Those that the file `kept` has are not counted again, because that takes minutes in a large
    database; the others are added to it.
    """
    known: dict[tuple[str, str], int] = {}
    if kept and kept.exists():
        rows = msgspec.json.decode(kept.read_bytes(), type=list[tuple[str, str, int]])
        known = {(term, username): count for term, username, count in rows}
    missing = {(ask.term, ask.username) for ask in asks} - known.keys()
    if missing:
        with step(f"Counting the matches of {len(missing)} searches"):
            known |= asyncio.run(_count(database_url, sorted(missing)))
        if kept:
            kept.write_bytes(msgspec.json.encode([(*pair, count) for pair, count in known.items()]))
    return known


async def _count(database_url: str, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Count the thoughts of each term and author by reading the whole table once."""
    arguments: list[str] = []
    counts = []
    for term, username in pairs:
        arguments.append(term.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_"))
        condition = f"folded_text LIKE '%' || ${len(arguments)}::text || '%'"
        if username:
            arguments.append(username)
            condition += f" AND username = ${len(arguments)}"
        counts.append(f"count(*) FILTER (WHERE {condition})")
    sql = f"SELECT {', '.join(counts)} FROM thoughts"  # noqa: S608 (terms are arguments)
    settings = {"jit": "off", "plan_cache_mode": "force_custom_plan"}
    async with connected(database_url, settings) as connection:
        (row,) = await connection.fetch(sql, *arguments, timeout=None)
    return dict(zip(pairs, row, strict=True))
