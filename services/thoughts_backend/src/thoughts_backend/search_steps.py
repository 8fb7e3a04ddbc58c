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

    The step is given up after `seconds`.
    """

    ids: int
    seconds: float | None = None

    async def run(
        self, connection: Connection, wanted: Wanted, grams: Sequence[str], limit: int
    ) -> Found:
        """Return the matches in these blocks."""
        bits = list_queries.block_bits(self.ids)
        if wanted.ascending:
            first, last = (wanted.above + 1) >> bits, (wanted.above + self.ids) >> bits
            reached = ((last + 1) << bits) - 1
            inside = replace(wanted, below=min(wanted.below, reached + 1))
        else:
            first, last = max(wanted.below - self.ids, 0) >> bits, (wanted.below - 1) >> bits
            reached = first << bits
            inside = replace(wanted, above=max(wanted.above, reached - 1))
        statement = list_queries.by_index(
            inside, grams, bits=bits, blocks=range(first, last + 1), limit=limit
        )
        thoughts = await list_queries.fetch(connection, statement)
        return Found(thoughts, None if inside == wanted else reached)


@dataclass(frozen=True, slots=True)
class Everything:
    """Ask the index about all ids that are left.

    The step is given up after `seconds`.
    """

    seconds: float | None = None

    async def run(
        self, connection: Connection, wanted: Wanted, grams: Sequence[str], limit: int
    ) -> Found:
        """Return the matches that are left."""
        statement = list_queries.by_index(wanted, grams, limit=limit)
        return Found(await list_queries.fetch(connection, statement), None)


Step: TypeAlias = Walk | Blocks | Everything


def beyond(wanted: Wanted, reached: int) -> Wanted:
    """Restrict `wanted` to the thoughts that come after the one with the id `reached`."""
    return replace(wanted, above=reached) if wanted.ascending else replace(wanted, below=reached)
