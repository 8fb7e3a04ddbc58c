"""Turns to compute a hash, one at a time, shared fairly before anything is computed.

Requests wait in three lines, which take turns; within a line, the networks of the clients take
turns. So neither a crowd from one network nor a crowd of strangers keeps others out. A request is
refused at once if there is no place in its line, and later if it waits too long.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum
from queue import Full
from typing import Any

from mythoughts_chassis.clients import Client
from mythoughts_chassis.fair_queue import FairQueue
from mythoughts_chassis.problems import TooManyRequests

# A hash takes about 30 ms: if only one line is full, it is served within a second. If all three are
# full, the last in each would wait three seconds, and is refused before that.
PLACES = 32
PLACES_PER_NETWORK = 8
# Less than a request may take (`asgi.REQUEST_SECONDS`), with enough time left for its own hashes.
WAIT_SECONDS = 1.5


class Line(Enum):
    """The kinds of requests that wait together."""

    LOGINS = "logins"
    REGISTRATIONS = "registrations"
    # Users and admins with a token, and logins from browsers that have logged in before.
    ACCOUNTS = "accounts"


class Turns:
    """The turns of one process."""

    def __init__(self) -> None:
        queues = [
            FairQueue[asyncio.Future[bool]](places=PLACES, places_per_network=PLACES_PER_NETWORK)
            for _ in Line
        ]
        self._queues = dict(zip(Line, queues, strict=True))
        # In the order of their turns.
        self._order = deque(queues)
        self._is_free = True

    @asynccontextmanager
    async def turn(self, line: Line, client: Client) -> AsyncIterator[None]:
        """Wait for the turn and hold it within the block.

        Raises `TooManyRequests` if there is no place, or after `WAIT_SECONDS`: not 503, which would
        let a flood of guesses look like a fault, and the Frontend stop calling.
        If the client leaves before its turn, raises what `client.gone` raises.
        """
        await self._wait(self._queues[line], client)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, queue: FairQueue[asyncio.Future[bool]], client: Client) -> None:
        if self._is_free:
            self._is_free = False
            return
        place = asyncio.get_running_loop().create_future()
        try:
            displaced = queue.add(client.network, place)
        except Full:
            raise _too_many() from None
        if displaced is not None:
            displaced.set_result(False)
        try:
            has_turn = await _while_there(client, place)
        except BaseException:
            queue.remove(client.network, place)
            if place.done() and place.result():
                self._pass_on()
            raise
        if not has_turn:
            raise _too_many()

    def _pass_on(self) -> None:
        for _ in Line:
            waiting = self._order[0].take()
            self._order.rotate(-1)
            if waiting is not None:
                waiting.set_result(True)
                return
        self._is_free = True


async def _while_there(client: Client, place: asyncio.Future[bool]) -> bool:
    """Return what becomes of the place; raises if the client leaves or it takes too long."""
    gone = asyncio.ensure_future(client.gone())
    try:
        either: set[asyncio.Future[Any]] = {place, gone}
        await asyncio.wait(either, timeout=WAIT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if place.done():
            return place.result()
        if gone.done():
            await gone
        raise _too_many()
    finally:
        if gone.done():
            gone.exception()
        gone.cancel()


def _too_many() -> TooManyRequests:
    return TooManyRequests("Too many passwords are being checked. Please wait a moment.")
