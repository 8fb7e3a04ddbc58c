"""How a search goes through the thoughts: exact, in the order of ids, with a bound on its work.

1. The first thoughts are read one after the other: whatever is common is found here.
2. What is less common is found by the index of terms, in blocks of ids: small ones first, larger
   ones further on, as far as they may be expected to be quick. So the first matches are found
   without collecting all.
3. When a page has taken long enough, it ends where the search has come to, with fewer thoughts
   than were asked for; the next page goes on from there.
"""

import asyncio
import time
from dataclasses import dataclass, replace

from mythoughts_chassis.database import Connection
from thoughts_backend import list_queries
from thoughts_backend.list_queries import Statement, Wanted
from thoughts_backend.schemas import Thought

# Reading a thought costs PostgreSQL 0.3 us in everybody's list, and many times that in an author's,
# whose thoughts are far apart.
WALK_LENGTH = 4096
AUTHORS_WALK_LENGTH = 256
# What one step looks at: so many blocks of 2 ** bits ids, which the index knows (migration 0002).
# The first of them may be almost used up, or almost empty yet.
STEPS = ((16, 2), (16, 8), (20, 2), (20, 8), (24, 2), (24, 8))
GROWTH = 4
# A larger step is taken when it may be expected to last no longer than this,
EXPECTED_SECONDS = 0.02
# and given up after this time, if there are more matches further on than there were before.
LARGE_STEP_SECONDS = 0.05
# After this time no further step is begun.
PAGE_SECONDS = 0.08


@dataclass(frozen=True, slots=True)
class Found:
    """Matches, in the order that was asked for.

    All thoughts up to the id `reached` have been looked at; None means that none are left.
    """

    thoughts: list[Thought]
    reached: int | None


async def walk(connection: Connection, wanted: Wanted, limit: int) -> Found:
    """Return at most `limit` of the matches among the first thoughts."""
    length = AUTHORS_WALK_LENGTH if _is_by_author(wanted) else WALK_LENGTH
    return await _walk(connection, wanted, length, limit)


async def go_on(connection: Connection, wanted: Wanted, limit: int) -> Found:
    """Return the first matches, at most `limit`, as far as the time for a page allows.

    Terms that begin with a short search are collected from the whole index, before it is looked
    at whose they are: one author's thoughts are walked through instead.
    """
    if _is_by_author(wanted) and _is_short(wanted.search):
        return await _walk_on(connection, wanted, limit)
    return await _go_through_blocks(connection, wanted, limit)


def beyond(wanted: Wanted, reached: int) -> Wanted:
    """Return what is wanted of the thoughts that come after the one with the id `reached`."""
    return replace(wanted, above=reached) if wanted.ascending else replace(wanted, below=reached)


async def _walk(connection: Connection, wanted: Wanted, length: int, limit: int) -> Found:
    statement = list_queries.walk(wanted, length=length, limit=limit)
    thoughts = await list_queries.fetch(connection, statement)
    if len(thoughts) == limit:
        return Found(thoughts, thoughts[-1].id)
    end = list_queries.end_of_walk(wanted, length=length)
    return Found(thoughts, await list_queries.fetch_id(connection, end))


async def _walk_on(connection: Connection, wanted: Wanted, limit: int) -> Found:
    thoughts: list[Thought] = []
    length = AUTHORS_WALK_LENGTH
    ends_at = time.monotonic() + PAGE_SECONDS
    while True:
        found = await _walk(connection, wanted, length, limit - len(thoughts))
        thoughts += found.thoughts
        if len(thoughts) == limit or found.reached is None or time.monotonic() > ends_at:
            return Found(thoughts, found.reached)
        wanted = beyond(wanted, found.reached)
        length = min(2 * length, WALK_LENGTH)


async def _go_through_blocks(connection: Connection, wanted: Wanted, limit: int) -> Found:
    newest = 0
    if wanted.ascending:
        newest = await list_queries.fetch_id(connection, list_queries.newest()) or 0
    thoughts: list[Thought] = []
    size = 0
    ends_at = time.monotonic() + PAGE_SECONDS
    while True:
        blocks = _Blocks(wanted, *STEPS[size])
        missing = limit - len(thoughts)
        started_at = time.monotonic()
        try:
            async with asyncio.timeout(LARGE_STEP_SECONDS if size else None):
                found = await list_queries.fetch(connection, blocks.statement(missing))
        except TimeoutError:
            if not size:
                raise
            size = 0
            continue
        now = time.monotonic()
        thoughts += found
        if len(found) == missing:
            return Found(thoughts, thoughts[-1].id)
        if blocks.are_last(newest):
            return Found(thoughts, None)
        if now > ends_at:
            return Found(thoughts, blocks.reached)
        wanted = beyond(wanted, blocks.reached)
        # A few more steps of this size would fill the page.
        is_nearly_done = missing - len(found) <= GROWTH * len(found)
        if not is_nearly_done and (now - started_at) * GROWTH < EXPECTED_SECONDS:
            size = min(size + 1, len(STEPS) - 1)


def _is_by_author(wanted: Wanted) -> bool:
    return wanted.user_id is not None or bool(wanted.username)


def _is_short(search: str) -> bool:
    """Return whether the search has no whole gram, as the migration 0002 defines them."""
    return len(search) < (2 if search >= "\u2e80" else 3)


class _Blocks:
    """The first blocks of 2 ** `bits` ids, so many as `count`, that hold what is wanted."""

    def __init__(self, wanted: Wanted, bits: int, count: int) -> None:
        self._wanted = wanted
        self._bits = bits
        if wanted.ascending:
            first = (wanted.above + 1) >> bits
            self._numbers = range(first, first + count)
            self.reached = ((first + count) << bits) - 1
            self._inside = replace(wanted, below=min(wanted.below, self.reached + 1))
        else:
            first = (wanted.below - 1) >> bits
            self._numbers = range(max(first - count + 1, 0), first + 1)
            self.reached = self._numbers[0] << bits
            self._inside = replace(wanted, above=max(wanted.above, self.reached - 1))

    def statement(self, limit: int) -> Statement:
        """Return the statement that finds the first matches in these blocks."""
        return list_queries.in_blocks(
            self._inside, bits=self._bits, blocks=self._numbers, limit=limit
        )

    def are_last(self, newest: int) -> bool:
        """Return whether no thoughts are left beyond these blocks."""
        if self._wanted.ascending:
            return self.reached >= min(self._wanted.below - 1, newest)
        return self._inside.above == self._wanted.above
