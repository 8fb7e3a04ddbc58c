"""How a search works: exact, in the order of ids, with bounded work.

A search is a sequence of steps (`search_steps`). `plan` chooses them; one loop, `_follow`, takes
them until the page is full, the list has ended or the time is up. Then the page ends at the point
that the search has reached, and the next page continues from there.
"""

import asyncio
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from mythoughts_chassis.database import Connection, Database
from thoughts_backend import list_queries
from thoughts_backend.list_queries import Walked, Wanted, is_whole, whole_grams
from thoughts_backend.schemas import Thought
from thoughts_backend.search_steps import Blocks, Found, Step, Walk, beyond

# How many grams of a search are looked up, rarest first. A fourth costs as much as it saves by
# ruling out candidates.
GRAMS = 3
# How long gram frequencies are cached.
FREQUENCIES_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Pace:
    """The sizes of the steps, and their time limits."""

    # A statement costs PostgreSQL 0.1 ms, reading a thought 0.25 us more, and each candidate of the
    # index 1 us. The first walk shows how common the term is. It is longer if it may fill the page;
    # a second walk follows if it is expected to.
    first_walk: int = 128
    common_walk: int = 512
    long_walk: int = 2048
    # The first blocks hold this many ids, most of which may be older than the page: the smaller
    # number if that is expected to fill it, and at most an eighth (`parts`) of all.
    near_ids: int = 2**13
    first_ids: int = 2**16
    parts: int = 8
    # If the first blocks do not fill the page, everything is searched in a small database; in one
    # that is larger than `growth` times `first_ids`, only if they hold less than a tenth of a page.
    rare: int = 10
    # How many times more the next larger blocks hold.
    growth: int = 4
    # A step beyond the first blocks is given up after this time: there can be too many candidates.
    # Larger blocks are searched if half of the time is expected to be enough.
    step_seconds: float = 0.04
    # After this time no further step starts.
    page_seconds: float = 0.08


PACE = Pace()


# Yields each step and gets the seconds that it took, or None if it was given up.
Plan: TypeAlias = Generator[Step, float | None, None]


class Search:
    """The searches of one process; at most `at_once` of them use the index at the same time."""

    def __init__(self, *, at_once: int, pace: Pace = PACE) -> None:
        self._pace = pace
        # The others wait, so that searches do not monopolize the database.
        self._turns = asyncio.Semaphore(at_once)
        self._frequencies: dict[str, float] = {}
        self._cached_until = 0.0

    async def find(self, database: Database, wanted: Wanted, limit: int) -> Found:
        """Return the first matches, at most `limit`, as far as the time for a page allows."""
        await self._learn(database)
        thoughts: list[Thought] = []
        missing, read = limit, 0
        for length in (self._first_length(wanted, limit), self._pace.long_walk):
            walked = await _walk(database, wanted, length=length, limit=missing)
            thoughts += walked.thoughts
            missing, read = limit - len(thoughts), read + length
            if walked.reached is None or not missing:
                return Found(thoughts, walked.reached)
            # Thoughts that arrive during the search are not part of it.
            below = min(wanted.below, walked.newest_id + 1)
            wanted = beyond(replace(wanted, below=below), walked.reached)
            if missing * read > len(thoughts) * self._pace.long_walk:
                break
        wanted = replace(wanted, search=walked.folded)
        grams = self._rarest(walked.folded)
        is_dense = missing * read <= len(thoughts) * self._pace.near_ids

        async def go_on(connection: Connection) -> Found:
            steps = plan(self._pace, wanted, grams, missing, is_dense=is_dense)
            ends_at = time.monotonic() + self._pace.page_seconds
            return await _follow(steps, connection, wanted, grams, missing, ends_at=ends_at)

        async with self._turns:
            rest = await database.run(go_on, repeatable=True)
        return Found(thoughts + rest.thoughts, rest.reached)

    async def _learn(self, database: Database) -> None:
        """Read how frequent the common grams are, from time to time."""
        if time.monotonic() > self._cached_until:
            self._cached_until = time.monotonic() + FREQUENCIES_SECONDS
            self._frequencies = await database.run(list_queries.fetch_frequencies, repeatable=True)

    def _first_length(self, wanted: Wanted, limit: int) -> int:
        """Return how many thoughts the first walk reads: more if they may fill the page."""
        # In lower case instead of folded as in the database: only the length depends on it.
        grams = whole_grams(wanted.search.lower())
        # How frequent a term is that is shorter than a gram is unknown.
        share = min((self._frequencies.get(gram, 0.0) for gram in grams), default=1.0)
        may_fill = share * self._pace.common_walk > limit
        return self._pace.common_walk if may_fill else self._pace.first_walk

    def _rarest(self, folded: str) -> Sequence[str]:
        """Return the rarest whole grams; if there are none, the term, which is a prefix."""
        # Grams that are not among the most frequent keep their order: the first do not overlap.
        grams = dict.fromkeys(whole_grams(folded))
        rarest = sorted(grams, key=lambda gram: self._frequencies.get(gram, 0.0))
        return rarest[:GRAMS] or list(filter(None, [folded]))


async def _walk(database: Database, wanted: Wanted, *, length: int, limit: int) -> Walked:
    """Read some thoughts one by one, which is so little work that it waits for no turn."""
    return await database.run(
        lambda c: list_queries.fetch_walk(c, wanted, length=length, limit=limit), repeatable=True
    )


def plan(pace: Pace, wanted: Wanted, grams: Sequence[str], limit: int, *, is_dense: bool) -> Plan:
    """Choose the steps after the walks, for a page that lacks `limit` matches.

    `is_dense` says that the walks have found so many that `near_ids` are expected to fill it.
    """
    left = wanted.below - wanted.above
    ids = min(pace.near_ids if is_dense else pace.first_ids, left // pace.parts + 1)
    is_small = left < pace.first_ids * pace.growth
    first = Blocks(ids, limit if is_small else max(1, limit // pace.rare), pace.step_seconds)
    if not grams:
        yield from _read_on(pace)
    elif wanted.by_author and not is_whole(grams[0]):
        # PostgreSQL collects all terms with a prefix from the whole index before it filters by
        # author. If there are too many, reading the author's thoughts is faster.
        yield Walk(pace.long_walk)
        yield first
        yield from _read_on(pace)
    else:
        yield from _widen(pace, ids, (yield first))


def _read_on(pace: Pace) -> Plan:
    while True:
        yield Walk(pace.long_walk)


def _widen(pace: Pace, first_ids: int, seconds: float | None) -> Plan:
    """Ask about more and more blocks, if the first took so many seconds."""
    ids = first_ids
    while True:
        if seconds is None:
            ids = first_ids
        elif pace.growth * seconds < pace.step_seconds / 2:
            ids *= pace.growth
        seconds = yield Blocks(ids, seconds=None if ids == first_ids else pace.step_seconds)


async def _follow(
    steps: Plan,
    connection: Connection,
    wanted: Wanted,
    grams: Sequence[str],
    limit: int,
    *,
    ends_at: float,
) -> Found:
    """Take steps until the page is full, the list has ended or the time is up."""
    thoughts: list[Thought] = []
    step = next(steps)
    while True:
        started_at, missing = time.monotonic(), limit - len(thoughts)
        try:
            async with asyncio.timeout(step.seconds):
                found = await step.run(connection, wanted, grams, missing)
        except TimeoutError:
            step = steps.send(None)
            continue
        now = time.monotonic()
        thoughts += found.thoughts
        if len(thoughts) == limit:
            return Found(thoughts, thoughts[-1].id)
        if found.reached is None or now > ends_at:
            return Found(thoughts, found.reached)
        wanted = beyond(wanted, found.reached)
        step = steps.send(now - started_at)
