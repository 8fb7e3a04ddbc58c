"""Access to the thoughts in the database for tests."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

from mythoughts_chassis.database import Connection
from testkit.sql import SqlConnection

T = TypeVar("T")


class Sql(SqlConnection):
    """A connection to the database of the Thoughts Backend."""

    def apply(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Return the result of a function of the service with the connection."""
        return self._runner.run(_awaited(work(self._connection)))

    def add_thoughts(self, *texts: str, username: str = "bruce", user_id: int = 1) -> list[int]:
        """Store thoughts, in this order, and return their ids."""
        rows = self.run(
            "INSERT INTO thoughts (user_id, username, text, created_at) "
            "SELECT $1, $2, text, $4 FROM unnest($3::text[]) WITH ORDINALITY AS t (text, place) "
            "ORDER BY place RETURNING id",
            user_id,
            username,
            list(texts),
            datetime(1962, 5, 11, 9, 53, 41, tzinfo=UTC),
        )
        return [row[0] for row in rows]


async def _awaited(work: Awaitable[T]) -> T:
    return await work
