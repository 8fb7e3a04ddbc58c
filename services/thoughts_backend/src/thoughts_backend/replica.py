"""A replica for reads that tolerate some lag; the primary takes over if the replica fails."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from asyncpg import PostgresError

from mythoughts_chassis.database import Connection, Database
from mythoughts_chassis.problems import Unavailable
from mythoughts_chassis.settings import Secret

if TYPE_CHECKING:
    from mythoughts_chassis.tracing import Tracing

# After this time the replica is checked; the primary still has enough time to answer.
SLOW_SECONDS = 0.5
PAUSE_SECONDS = 5.0

T = TypeVar("T")
Work = Callable[[Connection], Awaitable[T]]


class Replica(Database):
    """The pool of a replica. After a failure the replica is not used for `PAUSE_SECONDS`."""

    def __init__(
        self,
        url: Secret,
        *,
        primary: Database,
        pool_size: int,
        application_name: str,
        tracing: "Tracing | None" = None,
    ) -> None:
        super().__init__(
            url,
            pool_size=pool_size,
            application_name=application_name,
            role="replica",
            tracing=tracing,
        )
        self._primary = primary
        # Zero while the replica works.
        self._left_alone_until = 0.0

    async def run(self, work: Work[T], *, repeatable: bool) -> T:
        """Return the result of `work`, which must only read; raises `Unavailable`."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._left_alone_until:
            return await self._primary.run(work, repeatable=repeatable)
        if self._left_alone_until:
            # This request tests the replica for all others, which need not wait for it.
            self._left_alone_until = loop.time() + PAUSE_SECONDS
        try:
            result = await self._run_while_it_lives(work)
        except (Unavailable, PostgresError):
            # Any error: a replica also cancels statements that conflict with its recovery, and
            # may not have the newest schema yet.
            self._left_alone_until = loop.time() + PAUSE_SECONDS
            return await self._primary.run(work, repeatable=repeatable)
        self._left_alone_until = 0.0
        return result

    async def _run_while_it_lives(self, work: Work[T]) -> T:
        # A task, because a statement to an unresponsive server cannot be cancelled quickly.
        task = asyncio.create_task(super().run(work, repeatable=False))
        try:
            await asyncio.wait({task}, timeout=SLOW_SECONDS)
            if not task.done():
                task.add_done_callback(_take_note)
                # A single slow search must not send all searches to the primary.
                await self.check_ready()
            return await task
        finally:
            task.cancel()


def _take_note(task: asyncio.Task[T]) -> None:
    """Prevent asyncio from logging the error of a task that is no longer awaited."""
    if not task.cancelled():
        task.exception()
