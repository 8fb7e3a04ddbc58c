"""A pool of PostgreSQL connections; you can skip this module when you follow a request.

It costs a third less than asyncpg's own pool, which wraps connections in proxies and resets them
each time (ADR 31). Here a connection is reset only after work that failed. So no code may leave
session state behind: use only `SET LOCAL` and transaction-level advisory locks.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeAlias, TypeVar

import asyncpg

# An idle connection is closed after this time, the next time the pool is used: the server should
# not hold more than are needed.
IDLE_SECONDS = 300.0

# asyncpg's classes accept type parameters only in their stubs.
PooledConnection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
T = TypeVar("T")


class Pool:
    """Lends connections, at most `size` at a time; others wait for their turn.

    A connection that is lent for longer than `held_seconds` is closed. `waiting` is how many
    requests wait for one; `idle` has each idle connection with the time when it was last used, and
    the one used last is used next.
    """

    def __init__(
        self, connect: Callable[[], Awaitable[PooledConnection]], *, size: int, held_seconds: float
    ) -> None:
        self._connect = connect
        self._held_seconds = held_seconds
        self._turns = asyncio.Semaphore(size)
        self.idle: deque[tuple[PooledConnection, float]] = deque()
        self.lent: dict[PooledConnection, asyncio.TimerHandle] = {}
        self.waiting = 0

    async def run(self, work: Callable[[PooledConnection], Awaitable[T]]) -> T:
        """Lend a connection to `work` and return its result."""
        async with self.lend() as connection:
            return await work(connection)

    def lend(self) -> "Loan":
        """Lend a connection to a block: `async with pool.lend() as connection`."""
        return Loan(self)

    def close_idle(self) -> None:
        """Close the connections that are not lent."""
        while self.idle:
            self.idle.pop()[0].terminate()

    def terminate(self) -> None:
        """Close all connections, at once."""
        self.close_idle()
        for connection in self.lent:
            connection.terminate()

    async def take(self) -> PooledConnection:
        """Return a connection, which must be put back; wait for it if all are lent."""
        self.waiting += 1
        try:
            await self._turns.acquire()
            try:
                connection = self._take_idle() or await self._connect()
            except BaseException:
                self._turns.release()
                raise
        finally:
            self.waiting -= 1
        cut_off = asyncio.get_running_loop().call_later(self._held_seconds, connection.terminate)
        self.lent[connection] = cut_off
        return connection

    def _take_idle(self) -> "PooledConnection | None":
        while self.idle:
            connection, used_at = self.idle.pop()
            if not connection.is_closed() and time.monotonic() < used_at + IDLE_SECONDS:
                return connection
            connection.terminate()
        return None

    def put_back(self, connection: PooledConnection) -> None:
        """Take back a connection, and close it unless it can be lent again."""
        now = time.monotonic()
        self.lent.pop(connection).cancel()
        if connection.is_closed() or connection.is_in_transaction():
            connection.terminate()
        else:
            self.idle.append((connection, now))
        while self.idle and self.idle[0][1] + IDLE_SECONDS < now:
            self.idle.popleft()[0].terminate()
        self._turns.release()


class Loan:
    """Lends a connection to a block: faster than the generator that `contextlib` asks for."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._connection: PooledConnection

    async def __aenter__(self) -> PooledConnection:
        self._connection = await self._pool.take()
        return self._connection

    async def __aexit__(self, kind: object, error: object, traceback: object) -> None:
        try:
            if kind is not None:
                await _reset(self._connection)
        finally:
            self._pool.put_back(self._connection)


async def _reset(connection: PooledConnection) -> None:
    """Cancel and roll back what failed work has left, or close the connection."""
    is_reset = False
    try:
        # The error of the work matters, not that of the reset.
        with suppress(Exception):
            await connection.reset()
            is_reset = True
    finally:
        if not is_reset:
            connection.terminate()
