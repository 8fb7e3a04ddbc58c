"""SQL from tests, without an event loop of their own."""

import asyncio
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import asyncpg


class Sql:
    """One connection to PostgreSQL; closed at the end of its `with`."""

    def __init__(self, runner: asyncio.Runner, url: str) -> None:
        self._runner = runner
        self._url = url

    def __enter__(self) -> "Sql":
        self._connection = self._runner.run(asyncpg.connect(self._url))
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._runner.run(self._connection.close())

    def run(self, sql: str, *arguments: object) -> list[Any]:
        """Run one statement, with arguments `$1` ..., and return its rows."""

        async def fetch() -> list[Any]:
            return list(await self._connection.fetch(sql, *arguments))

        return self._runner.run(fetch())

    def value(self, sql: str, *arguments: object) -> Any:
        """The first column of the first row."""
        return self.run(sql, *arguments)[0][0]

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

    def other(self) -> "Sql":
        """Another connection to the same database, to be opened by `with`."""
        return Sql(self._runner, self._url)
