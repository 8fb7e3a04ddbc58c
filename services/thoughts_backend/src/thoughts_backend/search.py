"""How a search works: exact, in the order of ids, with bounded work.

1. The first thoughts are read one by one: this finds common terms.
2. Less common terms are found with the term index, at first in a few blocks of ids, so that the
   first matches are found without collecting all of them. Rare terms are looked up in all ids at
   once; if that takes too long, because there are too many candidates, the search returns to
   blocks.
3. When the time for a page is up, the page ends at the point that the search has reached, with
   fewer thoughts than requested; the next page continues from there.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mythoughts_chassis.database import Connection, Database
from thoughts_backend import list_queries
from thoughts_backend.list_queries import Statement, Wanted
from thoughts_backend.schemas import Thought

# Reading a thought costs PostgreSQL 0.3 us in everybody's list, and many times that in an author's
# list, whose thoughts are scattered.
WALK_LENGTH = 4096
AUTHORS_WALK_LENGTH = 256
# How many grams of a search are looked up, rarest first. More of them would cost more than they
# save by ruling out candidates.
GRAMS_FOR_BLOCKS = 4
GRAMS_FOR_ALL = 6
GRAMS_FOR_AUTHORS = 2
# How long gram frequencies are cached.
FREQUENCIES_SECONDS = 600.0
# The steps, as (bits, count): each looks at `count` blocks of 2 ** bits ids, which the index
# knows (migration 0002). The first block may be almost used up, or still almost empty.
STEPS = ((16, 2), (16, 8), (20, 2), (20, 8), (24, 2), (24, 8))
# How many times more the next larger step looks at.
GROWTH = 4
# All ids are searched if a page needs more than this many times what the first step found.
RARE = 10
# A larger step is taken if it is expected to take no longer than this, and given up if it takes
# twice as long: there can be more candidates further on.
EXPECTED_SECONDS = 0.02
# After this time no further step starts.
PAGE_SECONDS = 0.08


@dataclass(frozen=True, slots=True)
class Found:
    """Matches, in the requested order.

    All thoughts up to the id `reached` have been searched; None means that none are left.
    """

    thoughts: list[Thought]
    reached: int | None


class Search:
    """The searches of one process; at most `at_once` of them use the index at the same time."""

    def __init__(self, *, at_once: int) -> None:
        # The others wait, so that searches do not monopolize the database.
        self._turns = asyncio.Semaphore(at_once)
        self._frequencies: dict[str, float] = {}
        self._believed_until = 0.0

    async def find(self, database: Database, wanted: Wanted, limit: int) -> Found:
        """Return the first matches, at most `limit`, as far as the time for a page allows."""
        first = await database.run(lambda c: _walk_first(c, wanted, limit), repeatable=True)
        if first.reached is None or len(first.thoughts) == limit:
            return first
        further, missing = _beyond(wanted, first.reached), limit - len(first.thoughts)
        async with self._turns:
            rest = await database.run(lambda c: self._go_on(c, further, missing), repeatable=True)
        return Found(first.thoughts + rest.thoughts, rest.reached)

    async def _go_on(self, connection: Connection, wanted: Wanted, limit: int) -> Found:
        grams, newest = await list_queries.fetch_grams(connection, wanted.search)
        whole = dict.fromkeys(filter(list_queries.is_whole, grams))
        if whole:
            if time.monotonic() > self._believed_until:
                self._frequencies = await list_queries.fetch_frequencies(connection)
                self._believed_until = time.monotonic() + FREQUENCIES_SECONDS
            # Grams that are not among the most frequent keep their order: the first do not overlap.
            rarest = sorted(whole, key=lambda gram: self._frequencies.get(gram, 0.0))
            if _is_by_author(wanted):
                rarest = rarest[:GRAMS_FOR_AUTHORS]
            return await _ask_index(connection, wanted, rarest, newest, limit)
        if not grams:
            # The search is empty after folding, so every thought contains it.
            return await _walk_on(connection, wanted, limit)
        if _is_by_author(wanted):
            return await _ask_or_walk(connection, wanted, grams[:1], newest, limit)
        return await _ask_index(connection, wanted, grams[:1], newest, limit)


async def _walk_first(connection: Connection, wanted: Wanted, limit: int) -> Found:
    length = AUTHORS_WALK_LENGTH if _is_by_author(wanted) else WALK_LENGTH
    return await _walk(connection, wanted, length, limit)


async def _walk(connection: Connection, wanted: Wanted, length: int, limit: int) -> Found:
    statement = list_queries.walk(wanted, length=length, limit=limit)
    thoughts = await list_queries.fetch(connection, statement)
    if len(thoughts) == limit:
        return Found(thoughts, thoughts[-1].id)
    end = list_queries.end_of_walk(wanted, length=length)
    return Found(thoughts, await list_queries.fetch_id(connection, end))


async def _ask_or_walk(
    connection: Connection, wanted: Wanted, grams: Sequence[str], newest: int, limit: int
) -> Found:
    """Find an author's thoughts by a prefix of grams.

    PostgreSQL collects all terms with this prefix from the whole index before it filters by author.
    If there are too many, reading the author's thoughts is faster.
    """
    first = await _walk(connection, wanted, 4 * AUTHORS_WALK_LENGTH, limit)
    if first.reached is None or len(first.thoughts) == limit:
        return first
    further, missing = _beyond(wanted, first.reached), limit - len(first.thoughts)
    rest = await _ask_for_all(connection, further, grams, newest, missing)
    rest = rest or await _walk_on(connection, further, missing)
    return Found(first.thoughts + rest.thoughts, rest.reached)


async def _walk_on(connection: Connection, wanted: Wanted, limit: int) -> Found:
    thoughts: list[Thought] = []
    length = AUTHORS_WALK_LENGTH
    ends_at = time.monotonic() + PAGE_SECONDS
    while True:
        found = await _walk(connection, wanted, length, limit - len(thoughts))
        thoughts += found.thoughts
        if len(thoughts) == limit or found.reached is None or time.monotonic() > ends_at:
            return Found(thoughts, found.reached)
        wanted = _beyond(wanted, found.reached)
        length = min(2 * length, 4 * AUTHORS_WALK_LENGTH)


async def _ask_index(
    connection: Connection, wanted: Wanted, grams: Sequence[str], newest: int, limit: int
) -> Found:
    few_grams = grams[:GRAMS_FOR_BLOCKS]
    ends_at = time.monotonic() + PAGE_SECONDS
    # A single step: its time is up from the start.
    first = await _ask_for_blocks(connection, wanted, few_grams, newest, limit, ends_at=0.0)
    missing = limit - len(first.thoughts)
    if first.reached is None or not missing:
        return first
    further, rest = _beyond(wanted, first.reached), None
    if missing > RARE * len(first.thoughts):
        rest = await _ask_for_all(connection, further, grams, newest, missing)
    rest = rest or await _ask_for_blocks(
        connection, further, few_grams, newest, missing, ends_at=ends_at
    )
    return Found(first.thoughts + rest.thoughts, rest.reached)


async def _ask_for_all(
    connection: Connection, wanted: Wanted, grams: Sequence[str], newest: int, limit: int
) -> Found | None:
    """Search all ids with the index; return None if that takes too long."""
    statement = _Blocks(wanted, 0, 0, newest).statement(grams[:GRAMS_FOR_ALL], limit)
    thoughts = await _fetch_quickly(connection, statement)
    if thoughts is None:
        return None
    return Found(thoughts, thoughts[-1].id if len(thoughts) == limit else None)


async def _ask_for_blocks(
    connection: Connection,
    wanted: Wanted,
    grams: Sequence[str],
    newest: int,
    limit: int,
    *,
    ends_at: float,
) -> Found:
    """Search a few blocks of ids with the index, then more and more, until the time is up."""
    thoughts: list[Thought] = []
    size = 0
    while True:
        blocks = _Blocks(wanted, *STEPS[size], newest)
        missing = limit - len(thoughts)
        started_at = time.monotonic()
        fetch = _fetch_quickly if size else list_queries.fetch
        found = await fetch(connection, blocks.statement(grams, missing))
        if found is None:
            size = 0
            continue
        now = time.monotonic()
        thoughts += found
        if len(found) == missing:
            return Found(thoughts, thoughts[-1].id)
        if blocks.are_last:
            return Found(thoughts, None)
        if now > ends_at:
            return Found(thoughts, blocks.reached)
        wanted = _beyond(wanted, blocks.reached)
        # If a few more steps of this size would fill the page, the size need not grow.
        are_few = missing - len(found) > GROWTH * len(found)
        if are_few and (now - started_at) * GROWTH < EXPECTED_SECONDS:
            size = min(size + 1, len(STEPS) - 1)


async def _fetch_quickly(connection: Connection, statement: Statement) -> list[Thought] | None:
    try:
        async with asyncio.timeout(2 * EXPECTED_SECONDS):
            return await list_queries.fetch(connection, statement)
    except TimeoutError:
        return None


def _beyond(wanted: Wanted, reached: int) -> Wanted:
    """Restrict `wanted` to the thoughts that come after the one with the id `reached`."""
    return replace(wanted, above=reached) if wanted.ascending else replace(wanted, below=reached)


def _is_by_author(wanted: Wanted) -> bool:
    return wanted.user_id is not None or bool(wanted.username)


class _Blocks:
    """The first `count` blocks of 2 ** `bits` ids in the wanted range.

    With a `count` of 0, all ids in the range.
    """

    def __init__(self, wanted: Wanted, bits: int, count: int, newest: int) -> None:
        self._bits = bits
        self._inside = wanted
        self._numbers: Sequence[int] = ()
        self.reached = newest if wanted.ascending else 0
        if count and wanted.ascending:
            first = (wanted.above + 1) >> bits
            self._numbers = range(first, first + count)
            self.reached = ((first + count) << bits) - 1
            self._inside = replace(wanted, below=min(wanted.below, self.reached + 1))
        elif count:
            first = (wanted.below - 1) >> bits
            self._numbers = range(max(first - count + 1, 0), first + 1)
            self.reached = self._numbers[0] << bits
            self._inside = replace(wanted, above=max(wanted.above, self.reached - 1))
        if wanted.ascending:
            self.are_last = self.reached >= min(wanted.below - 1, newest)
        else:
            self.are_last = self._inside.above == wanted.above

    def statement(self, grams: Sequence[str], limit: int) -> Statement:
        """Return the statement that finds the first matches in these blocks."""
        return list_queries.by_index(
            self._inside, grams, bits=self._bits, blocks=self._numbers, limit=limit
        )
