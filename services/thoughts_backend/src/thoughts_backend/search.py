"""How a search works: exact, in the order of ids, with bounded work.

A search first walks: it reads the newest thoughts one by one, in one to three statements. If that
does not fill the page, `search_plan` chooses the further steps, most of which ask the index. One
loop, `_follow`, takes them until the page is full, the list has ended or the time is up. Then the
page ends at the point that the search has reached, and the next page continues from there.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from mythoughts_chassis.database import Connection, Database
from thoughts_backend import list_queries
from thoughts_backend.frequencies import Frequencies
from thoughts_backend.grams import whole_grams
from thoughts_backend.list_queries import Found, Walked, Wanted
from thoughts_backend.schemas import Thought
from thoughts_backend.search_plan import PACE, Pace, Plan, beyond, plan

# How long the frequencies of grams are cached.
FREQUENCIES_SECONDS = 600.0


class Search:
    """The searches of one process; at most `at_once` of them use the index at the same time."""

    def __init__(self, *, at_once: int, pace: Pace = PACE) -> None:
        self._pace = pace
        # The others wait, so that searches do not monopolize the database.
        self._turns = asyncio.Semaphore(at_once)
        self._frequencies = Frequencies({})
        self._cached_until = 0.0

    async def find(self, database: Database, wanted: Wanted, limit: int) -> Found:
        """Return the first matches, at most `limit`, as far as the time for a page allows."""
        await self._learn(database)
        found, left = await self._walk(database, wanted, limit)
        if left is None:
            return found
        rest = await self._ask_index(database, left, limit - len(found.thoughts))
        return Found(found.thoughts + rest.thoughts, rest.reached)

    async def _walk(
        self, database: Database, wanted: Wanted, limit: int
    ) -> tuple[Found, "_Left | None"]:
        """Read the newest thoughts one by one, as long as that is cheaper than the index.

        It is so little work that it waits for no turn.
        """
        # Not folded as in the database: only the lengths of walks depend on it.
        lower = wanted.search.lower()
        # A term of three characters has a whole gram, of whatever kind.
        is_short = not whole_grams(lower[:3])
        at_most = self._frequencies.at_most(lower)
        thoughts: list[Thought] = []
        read = 0
        for length in self._lengths(lower, limit, is_short=is_short):
            walked = await _fetch_walk(database, wanted, length=length, limit=limit - len(thoughts))
            thoughts += walked.thoughts
            found, missing = Found(thoughts, walked.reached), limit - len(thoughts)
            if walked.reached is None or not missing:
                return found, None
            # Thoughts that arrive during the search are not part of it.
            below = min(wanted.below, walked.newest_id + 1)
            wanted = beyond(replace(wanted, below=below), walked.reached)
            read += length
            frequency = min(len(thoughts) / read, at_most)
            # The index collects all matches of a short term, which costs as much as reading them.
            all_matches = frequency * walked.newest_id if is_short else 0
            if missing > frequency * max(self._pace.long_walk, all_matches):
                break
        folded = replace(wanted, search=walked.folded, is_folded=True)
        return found, _Left(folded, frequency)

    def _lengths(self, lower: str, limit: int, *, is_short: bool) -> Iterator[int]:
        """Yield how many thoughts each walk reads."""
        frequency = self._frequencies.expected(lower)
        # Twice what is needed, if the walk may fill the page.
        enough = 2 * limit
        may_fill = enough <= frequency * self._pace.long_walk
        yield max(self._pace.first_walk, round(enough / frequency) if may_fill else 0)
        yield self._pace.long_walk
        if is_short:
            yield self._pace.short_term_walk

    async def _ask_index(self, database: Database, left: "_Left", missing: int) -> Found:
        """Return the next matches, at most `missing`, by the steps that `search_plan` chooses."""
        wanted = left.wanted
        grams = self._frequencies.grams_to_look_up(wanted.search)
        is_dense = missing <= left.frequency * self._pace.near_ids

        async def follow(connection: Connection) -> Found:
            steps = plan(self._pace, wanted, grams, missing, is_dense=is_dense)
            ends_at = time.monotonic() + self._pace.page_seconds
            return await _follow(steps, connection, wanted, grams, missing, ends_at=ends_at)

        async with self._turns:
            return await database.run(follow, repeatable=True)

    async def _learn(self, database: Database) -> None:
        """Read how frequent the common grams are, from time to time."""
        if time.monotonic() > self._cached_until:
            known = await database.run(list_queries.fetch_frequencies, repeatable=True)
            self._frequencies = Frequencies(known)
            # Only now: after a failure, the next search tries again.
            self._cached_until = time.monotonic() + FREQUENCIES_SECONDS


@dataclass(frozen=True, slots=True)
class _Left:
    """What is left to search after the walks, and how frequent the term was in what they read."""

    wanted: Wanted
    frequency: float


async def _fetch_walk(database: Database, wanted: Wanted, *, length: int, limit: int) -> Walked:
    return await database.run(
        lambda c: list_queries.fetch_walk(c, wanted, length=length, limit=limit), repeatable=True
    )


async def _follow(
    steps: Plan,
    connection: Connection,
    wanted: Wanted,
    grams: Sequence[str],
    limit: int,
    *,
    ends_at: float,
) -> Found:
    """Take steps until the page is full, the list has ended or the time is up.

    `steps` gets the seconds that each step took, or None if it was given up.
    """
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
