"""The steps of a search, and which of them it takes: their sizes, their order, their time limits.

A step finds all matches among the next ids of the list, up to a limit.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from mythoughts_chassis.database import Connection
from thoughts_backend import list_queries
from thoughts_backend.grams import is_whole
from thoughts_backend.list_queries import Found, Wanted


@dataclass(frozen=True, slots=True)
class Walk:
    """Read the next `length` thoughts one by one."""

    length: int
    seconds: float | None = None

    async def run(
        self, connection: Connection, wanted: Wanted, _: Sequence[str], limit: int
    ) -> Found:
        """Return the matches among them."""
        return await list_queries.fetch_walk(connection, wanted, length=self.length, limit=limit)


@dataclass(frozen=True, slots=True)
class Blocks:
    """Ask the index about the blocks that contain the next `ids` ids.

    If they hold fewer than `enough` matches, which are at most those that the page lacks, the same
    statement asks about all ids that are left. The step is given up after `seconds`.
    """

    ids: int
    enough: int = 0
    seconds: float | None = None

    async def run(
        self, connection: Connection, wanted: Wanted, grams: Sequence[str], limit: int
    ) -> Found:
        """Return the matches in these blocks, or all."""
        bits = list_queries.block_bits(self.ids)
        # A step before this one may have found some of them.
        enough = min(self.enough, limit)
        if wanted.ascending:
            first, last = (wanted.above + 1) >> bits, (wanted.above + self.ids) >> bits
            reached = ((last + 1) << bits) - 1
            near = replace(wanted, below=min(wanted.below, reached + 1))
        else:
            first, last = max(wanted.below - self.ids, 0) >> bits, (wanted.below - 1) >> bits
            reached = first << bits
            near = replace(wanted, above=max(wanted.above, reached - 1))
        statement = list_queries.by_index(
            near,
            wanted,
            grams,
            bits=bits,
            blocks=range(first, last + 1),
            enough=enough,
            limit=limit,
        )
        thoughts = await list_queries.fetch(connection, statement)
        found_near = sum(near.above < thought.id < near.below for thought in thoughts)
        is_all = found_near < enough or near == wanted
        return Found(thoughts, None if is_all else reached)


Step: TypeAlias = Walk | Blocks


@dataclass(frozen=True, slots=True)
class Pace:
    """The sizes of the steps, and their time limits."""

    # A statement costs PostgreSQL 0.1 ms, reading a thought 0.25 us more, and each candidate of the
    # index 1 us. The first walk shows how common the term is; if it may fill the page, it is
    # longer, up to `long_walk`. A second walk, of that length, follows if that should fill it.
    first_walk: int = 128
    long_walk: int = 2048
    # A third walk, for a term that is shorter than a gram.
    short_term_walk: int = 8192
    # The first blocks hold this many ids, most of which may be older than the page: the smaller
    # number if that is expected to fill it, and at most an eighth (`parts`) of all.
    near_ids: int = 2**13
    first_ids: int = 2**16
    parts: int = 8
    # If the first blocks do not fill the page, everything is searched in a small database; in one
    # that is larger than `growth` times `first_ids`, only if they hold less than a tenth of what
    # the page lacks.
    rare: int = 10
    # How many times more the next larger blocks hold.
    growth: int = 4
    # A step beyond the first blocks is given up after this time: there can be too many candidates.
    # Larger blocks are searched if half of the time is expected to be enough.
    step_seconds: float = 0.04
    # After this time no further step starts, unless the last was given up.
    page_seconds: float = 0.08


PACE = Pace()


# Yields each step and gets the seconds that it took, or None if it was given up.
Plan: TypeAlias = Generator[Step, float | None, None]


def plan(pace: Pace, wanted: Wanted, grams: Sequence[str], limit: int, *, is_dense: bool) -> Plan:
    """Choose the steps after the walks, for a page that lacks `limit` matches.

    `is_dense` says that, judging by the walks, `near_ids` are expected to fill it.
    """
    left = wanted.below - wanted.above
    ids = min(pace.near_ids if is_dense else pace.first_ids, left // pace.parts + 1)
    is_small = left < pace.first_ids * pace.growth
    first = Blocks(ids, limit if is_small else max(1, limit // pace.rare), pace.step_seconds)
    if not grams:
        yield from _read_on(pace)
    elif is_whole(grams[0]):
        yield from _widen(pace, ids, (yield first))
    else:
        # PostgreSQL collects all terms with a prefix from the whole index before it considers the
        # blocks or the author. If there are too many, reading on is faster.
        if wanted.by_author:
            yield Walk(pace.long_walk)
        seconds = yield first
        if wanted.by_author or seconds is None:
            yield from _read_on(pace)
        else:
            yield from _widen(pace, ids, seconds)


def _read_on(pace: Pace) -> Plan:
    while True:
        yield Walk(pace.long_walk)


def _widen(pace: Pace, first_ids: int, seconds: float | None) -> Plan:
    """Ask about more and more blocks; `seconds` is what the first took."""
    ids = first_ids
    while True:
        if seconds is None:
            ids = first_ids
        elif pace.growth * seconds < pace.step_seconds / 2:
            ids *= pace.growth
        seconds = yield Blocks(ids, seconds=None if ids == first_ids else pace.step_seconds)


def beyond(wanted: Wanted, reached: int) -> Wanted:
    """Restrict `wanted` to the thoughts that come after the one with the id `reached`."""
    return replace(wanted, above=reached) if wanted.ascending else replace(wanted, below=reached)
