"""SQL for tests, without their own event loop."""

import asyncio
from types import TracebackType
from typing import Any, Self

import asyncpg


class SqlConnection:
    """A connection to PostgreSQL; closed at the end of its `with` block."""

    def __init__(self, runner: asyncio.Runner, url: str) -> None:
        self._runner = runner
        self._url = url

    def __enter__(self) -> Self:
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

    def other(self) -> Self:
        """Another connection to the same database, to be used in `with`."""
        return type(self)(self._runner, self._url)
