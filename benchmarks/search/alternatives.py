"""Three other ways to search the same thoughts: plain SQL, over one connection.

Their indexes are built for the measurement and dropped after it.
"""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from benchmarks.search.figures import Figure, Latencies, Relation
from benchmarks.search.load import LIMIT, Ask

ILIKE = "ILIKE"
TRIGRAMS = "ILIKE, trigram index"
FULL_TEXT = "full-text search"

STATEMENT_SECONDS = 20
KIND_SECONDS = 6
_PASSES = 4

_TEXT_CONDITION = "text ILIKE '%' || {term} || '%'"
_NEWEST = f"ORDER BY id DESC LIMIT {LIMIT}"
# In the order of the lists' index, which every alternative may use.
_AUTHOR = "normalize(casefold(username::text COLLATE pg_unicode_fast))"
_WORDS = "to_tsvector('simple', text)"


@dataclass(frozen=True, slots=True)
class Alternative:
    """A condition on `{term}`, and the index that serves it, if any."""

    name: str
    condition: str
    index: str | None = None
    of_words_only: bool = False


ALTERNATIVES = (
    Alternative(ILIKE, _TEXT_CONDITION),
    Alternative(TRIGRAMS, _TEXT_CONDITION, "USING gin (text gin_trgm_ops)"),
    Alternative(
        FULL_TEXT,
        f"{_WORDS} @@ phraseto_tsquery('simple', {{term}})",
        f"USING gin ({_WORDS})",
        of_words_only=True,
    ),
)


async def measure_alternative(
    database_url: str, alternative: Alternative, asks: Sequence[Ask], size: int
) -> tuple[list[Figure], Relation | None]:
    """Measure each class of searches; also return the figures of the index, if there is one."""
    settings = {"plan_cache_mode": "force_custom_plan"}
    connection = await asyncpg.connect(database_url, server_settings=settings)
    try:
        async with _index(connection, alternative) as relation:
            await connection.execute(f"SET statement_timeout = '{STATEMENT_SECONDS}s'")
            kinds = dict.fromkeys(ask.kind for ask in asks)
            figures = [await _measure(connection, alternative, kind, size, asks) for kind in kinds]
            await connection.execute("RESET statement_timeout")
            return figures, relation
    finally:
        await connection.close()


@asynccontextmanager
async def _index(
    connection: "asyncpg.Connection[asyncpg.Record]", alternative: Alternative
) -> AsyncIterator[Relation | None]:
    if alternative.index is None:
        yield None
        return
    await connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    await connection.execute("DROP INDEX IF EXISTS thoughts_alternative")
    started = time.monotonic()
    sql = f"CREATE INDEX thoughts_alternative ON thoughts {alternative.index}"
    await connection.execute(sql, timeout=None)
    seconds = time.monotonic() - started
    try:
        await connection.execute("ANALYZE thoughts", timeout=None)
        size = await connection.fetchval("SELECT pg_relation_size('thoughts_alternative')")
        yield Relation(f"index of {alternative.name}", size, seconds)
    finally:
        await connection.execute("DROP INDEX thoughts_alternative")


async def _measure(
    connection: "asyncpg.Connection[asyncpg.Record]",
    alternative: Alternative,
    kind: str,
    size: int,
    asks: Sequence[Ask],
) -> Figure:
    """Search for the terms in turn; if time allows a second pass, the first is a warm-up."""
    own = [ask for ask in asks if ask.kind == kind]
    deadline = time.monotonic() + KIND_SECONDS
    seconds: list[float] = []
    for ask in own * _PASSES:
        seconds.append(await _search(connection, alternative, ask))
        if time.monotonic() > deadline:
            break
    measured = seconds[len(own) :] or seconds
    return Figure(
        kind,
        size,
        clients=1,
        cache="warm",
        alternative=alternative.name,
        latencies=Latencies.of(measured),
        timed_out=sum(one >= STATEMENT_SECONDS for one in measured),
    )


async def _search(
    connection: "asyncpg.Connection[asyncpg.Record]", alternative: Alternative, ask: Ask
) -> float:
    """Return the seconds of one search, or the limit if it was aborted."""
    term = ask.term
    if not alternative.of_words_only:
        term = term.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    of_author = f"AND {_AUTHOR} = {_AUTHOR.replace('username', '$2')}" if ask.username else ""
    arguments = [term, ask.username] if ask.username else [term]
    condition = alternative.condition.format(term="$1::text")
    where = f"WHERE {condition} {of_author} {_NEWEST}"
    sql = f"SELECT id, username, text, created_at FROM thoughts {where}"  # noqa: S608 (constants)
    started = time.perf_counter()
    try:
        await connection.fetch(sql, *arguments, timeout=None)
    except asyncpg.QueryCanceledError:
        return float(STATEMENT_SECONDS)
    return time.perf_counter() - started
