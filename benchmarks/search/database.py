"""The database of the search benchmark: its number of thoughts, their authors and contents."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from benchmarks.generator import FIRST_USER_ID
from benchmarks.loading import count_thoughts, load_thoughts
from benchmarks.requests_run import Say
from benchmarks.search.figures import Relation
from benchmarks.search.load import Ask

# A demonstration user, whose few thoughts are the oldest of all.
QUIET_AUTHOR = "stephen"
INDEX = "thoughts_search"

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


async def load_up_to(database_url: str, size: int, say: Say) -> dict[str, float] | None:
    """Load generated thoughts up to `size`; return the seconds of each part.

    Thoughts shared by an earlier measurement are deleted first. None: there are more already.
    """
    timer = _Timer(say)
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(_DELETE_SHARED, FIRST_USER_ID, timeout=None)
        present = await count_thoughts(connection, first_user_id=FIRST_USER_ID)
        if present < size:
            await load_thoughts(database_url, size - present, start=present, show=timer)
        else:
            await connection.execute("VACUUM (ANALYZE) thoughts", timeout=None)
    finally:
        await connection.close()
    return timer.seconds if present <= size else None


class _Timer:
    """Gets the progress of each part of the loading, reports each part, and times it."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self.seconds: dict[str, float] = {}
        self._started: dict[str, float] = {}

    def __call__(self, part: str, _: float) -> None:
        now = time.monotonic()
        if part not in self._started:
            self._say(f"{part}.")
            self._started[part] = now
        self.seconds[part] = now - self._started[part]


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


async def relations(database_url: str, load_seconds: Mapping[str, float]) -> list[Relation]:
    """Return the table of thoughts and its indexes, with their sizes and build times."""
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch(
            """
            SELECT relname, pg_relation_size(oid) FROM pg_class WHERE relname = 'thoughts'
            UNION ALL
            SELECT relname, pg_relation_size(oid) FROM pg_index JOIN pg_class ON oid = indexrelid
            WHERE indrelid = 'thoughts'::regclass
            """
        )
    finally:
        await connection.close()
    return [
        Relation(name, size, load_seconds.get(f"Making the index {name}")) for name, size in rows
    ]
