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
from thoughts_backend.list_queries import Walked, Wanted
from thoughts_backend.schemas import Thought
from thoughts_backend.search_steps import Blocks, Everything, Found, Step, Walk, beyond

# How many grams of a search are looked up, rarest first. More of them would cost more than they
# save by ruling out candidates, of which one author has few.
GRAMS = 4
AUTHORS_GRAMS = 2
# How long gram frequencies are cached.
FREQUENCIES_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Pace:
    """The sizes of the steps, and their time limits."""

    # Reading a thought costs PostgreSQL 0.25 us, so the first walk costs about as much as asking
    # the index once. It shows how common the term is.
    first_walk: int = 512
    # An author's thoughts are scattered, so that reading one costs at least twice as much.
    authors_walk: int = 256
    # The first blocks hold this many ids, but at most a quarter of all (by `growth`): each match
    # found with the index costs 1 us, and most matches may be older than the page.
    first_ids: int = 2**16
    # How many times more the next larger step looks at.
    growth: int = 4
    # Everything is searched after the first blocks if they were a quarter of it, or if a page needs
    # more than this many times what they held.
    rare: int = 10
    # A larger step is given up after this time: there can be too many candidates further on. It is
    # taken if half of the time is expected to be enough.
    step_seconds: float = 0.04
    # After this time no further step starts.
    page_seconds: float = 0.08

    def long_walk(self, wanted: Wanted) -> int:
        """Return the length of every walk after the first."""
        return self.growth * (self.authors_walk if wanted.by_author else self.first_walk)


PACE = Pace()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many matches a step found, how many the page still lacks, and how long it took."""

    found: int
    missing: int
    seconds: float = 0.0


# Yields each step and gets its outcome, or None if the step was given up.
Plan: TypeAlias = Generator[Step, Outcome | None, None]


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
        length = self._first_length(wanted, limit)
        first = await _walk(database, wanted, length=length, limit=limit)
        thoughts, reached, missing = first.thoughts, first.reached, limit - len(first.thoughts)
        # Thoughts that arrive during the search are not part of it.
        wanted = replace(wanted, below=min(wanted.below, first.newest_id + 1))
        if reached is not None and 0 < missing <= self._pace.growth * len(thoughts):
            wanted = beyond(wanted, reached)
            second = await _walk(
                database, wanted, length=self._pace.long_walk(wanted), limit=missing
            )
            thoughts, reached = thoughts + second.thoughts, second.reached
            missing -= len(second.thoughts)
        if reached is None or not missing:
            return Found(thoughts, reached)
        further = beyond(wanted, reached)
        async with self._turns:
            rest = await database.run(
                lambda c: self._go_on(c, further, first.grams, missing), repeatable=True
            )
        return Found(thoughts + rest.thoughts, rest.reached)

    async def _learn(self, database: Database) -> None:
        """Read how frequent the common grams are, from time to time."""
        if time.monotonic() > self._cached_until:
            self._cached_until = time.monotonic() + FREQUENCIES_SECONDS
            self._frequencies = await database.run(list_queries.fetch_frequencies, repeatable=True)

    def _first_length(self, wanted: Wanted, limit: int) -> int:
        """Return how many thoughts the first walk may read: more if the term is known as common.

        The walk of a common term ends early, when its page is full.
        """
        if wanted.by_author:
            return self._pace.authors_walk
        # In lower case instead of folded as in the database: only the length depends on it.
        text = wanted.search.lower()
        grams = [text[start : start + 3] for start in range(len(text) - 2)] or [text]
        share = min(self._frequencies.get(gram, 0.0) for gram in grams)
        most = self._pace.growth * self._pace.first_walk
        return most if share * most > 2 * limit else self._pace.first_walk

    async def _go_on(
        self, connection: Connection, wanted: Wanted, all_grams: Sequence[str], limit: int
    ) -> Found:
        most = AUTHORS_GRAMS if wanted.by_author else GRAMS
        grams = self._rarest(all_grams)[:most]
        ends_at = time.monotonic() + self._pace.page_seconds
        steps = plan(self._pace, wanted, grams)
        return await _follow(steps, connection, wanted, grams, limit, ends_at=ends_at)

    def _rarest(self, grams: Sequence[str]) -> Sequence[str]:
        """Return the whole grams, rarest first; if there are none, the term, which is a prefix."""
        whole = dict.fromkeys(filter(list_queries.is_whole, grams))
        # Grams that are not among the most frequent keep their order: the first do not overlap.
        return sorted(whole, key=lambda gram: self._frequencies.get(gram, 0.0)) or grams[:1]


async def _walk(database: Database, wanted: Wanted, *, length: int, limit: int) -> Walked:
    """Read some thoughts one by one, which is so little work that it waits for no turn."""
    return await database.run(
        lambda c: list_queries.fetch_walk(c, wanted, length=length, limit=limit), repeatable=True
    )


def plan(pace: Pace, wanted: Wanted, grams: Sequence[str]) -> Plan:
    """Choose the steps after the walks."""
    is_prefix = bool(grams) and not list_queries.is_whole(grams[0])
    if not grams or (is_prefix and wanted.by_author):
        long_walk = Walk(pace.long_walk(wanted))
        yield from _walk_on(long_walk, Everything(pace.step_seconds) if grams else None)
    left = wanted.below - wanted.above
    first_ids = ids = min(pace.first_ids, left // pace.growth + 1)
    outcome = yield Blocks(ids)
    if outcome and (ids * pace.growth > left or outcome.missing > pace.rare * outcome.found):
        outcome = yield Everything(pace.step_seconds)
    while True:
        if outcome is None:
            ids = first_ids
        elif pace.growth * outcome.seconds < pace.step_seconds / 2:
            ids *= pace.growth
        outcome = yield Blocks(ids, None if ids == first_ids else pace.step_seconds)


def _walk_on(long_walk: Walk, everything: Everything | None) -> Plan:
    """Read on, because the term is empty after folding, or an author's and shorter than a gram.

    PostgreSQL collects all terms with a prefix from the whole index before it filters by author.
    If there are too many, reading the author's thoughts is faster.
    """
    yield long_walk
    if everything:
        yield everything
    while True:
        yield long_walk


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
        step = steps.send(Outcome(len(found.thoughts), limit - len(thoughts), now - started_at))
