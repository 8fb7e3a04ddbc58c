"""The steps of a search. Each finds all matches among the next ids of the list, up to a limit."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from mythoughts_chassis.database import Connection
from thoughts_backend import list_queries
from thoughts_backend.list_queries import Wanted
from thoughts_backend.schemas import Thought


@dataclass(frozen=True, slots=True)
class Found:
    """Matches, in the requested order.

    All thoughts up to the id `reached` have been searched; None means that none are left.
    """

    thoughts: list[Thought]
    reached: int | None


@dataclass(frozen=True, slots=True)
class Walk:
    """Read the next `length` thoughts one by one."""

    length: int
    seconds: float | None = None

    async def run(
        self, connection: Connection, wanted: Wanted, _: Sequence[str], limit: int
    ) -> Found:
        """Return the matches among them."""
        walked = await list_queries.fetch_walk(connection, wanted, length=self.length, limit=limit)
        return Found(walked.thoughts, walked.reached)


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
            enough=self.enough,
            limit=limit,
        )
        thoughts = await list_queries.fetch(connection, statement)
        found_near = sum(near.above < thought.id < near.below for thought in thoughts)
        is_all = found_near < self.enough or near == wanted
        return Found(thoughts, None if is_all else reached)


Step: TypeAlias = Walk | Blocks


def beyond(wanted: Wanted, reached: int) -> Wanted:
    """Restrict `wanted` to the thoughts that come after the one with the id `reached`."""
    return replace(wanted, above=reached) if wanted.ascending else replace(wanted, below=reached)
