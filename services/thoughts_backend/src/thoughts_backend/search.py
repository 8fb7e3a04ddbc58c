"""How a search works: exact, in the order of ids, with bounded work.

A search is a sequence of steps. `Search.find` takes the first two or three, which read the newest
thoughts; `search_plan` chooses the others, and one loop, `_follow`, takes them until the page is
full, the list has ended or the time is up. Then the page ends at the point that the search has
reached, and the next page continues from there.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace

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
        # Not folded as in the database: only the lengths of walks depend on it.
        lower = wanted.search.lower()
        thoughts: list[Thought] = []
        missing, read = limit, 0
        lengths = [self._first_length(lower, limit), self._pace.long_walk]
        # A term of three characters has a whole gram, of whatever kind.
        if is_short := not whole_grams(lower[:3]):
            lengths.append(self._pace.short_term_walk)
        at_most = self._frequencies.at_most(lower)
        for length in lengths:
            walked = await _walk(database, wanted, length=length, limit=missing)
            thoughts += walked.thoughts
            missing, read = limit - len(thoughts), read + length
            if walked.reached is None or not missing:
                return Found(thoughts, walked.reached)
            # Thoughts that arrive during the search are not part of it.
            below = min(wanted.below, walked.newest_id + 1)
            wanted = beyond(replace(wanted, below=below), walked.reached)
            frequency = min(len(thoughts) / read, at_most)
            # The index collects all matches of a short term, which costs as much as reading them.
            all_matches = frequency * walked.newest_id if is_short else 0
            if missing > frequency * max(self._pace.long_walk, all_matches):
                break
        wanted = replace(wanted, search=walked.folded, is_folded=True)
        grams = self._frequencies.grams_to_look_up(walked.folded)
        is_dense = missing <= frequency * self._pace.near_ids

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
            known = await database.run(list_queries.fetch_frequencies, repeatable=True)
            self._frequencies = Frequencies(known)
            # Only now: after a failure, the next search tries again.
            self._cached_until = time.monotonic() + FREQUENCIES_SECONDS

    def _first_length(self, lower: str, limit: int) -> int:
        """Return how many thoughts the first walk reads: more if they may fill the page."""
        frequency = self._frequencies.expected(lower)
        # Twice what is needed if that is right.
        needed = 2 * limit
        if needed > frequency * self._pace.long_walk:
            return self._pace.first_walk
        return max(self._pace.first_walk, round(needed / frequency))


async def _walk(database: Database, wanted: Wanted, *, length: int, limit: int) -> Walked:
    """Read some thoughts one by one, which is so little work that it waits for no turn."""
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
