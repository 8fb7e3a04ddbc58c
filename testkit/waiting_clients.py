"""Clients of requests, for tests of what waits for its turn."""

import asyncio

from starlette.requests import ClientDisconnect

from mythoughts_chassis.clients import Client


class WaitingClient:
    """A client; `waits` is set once its request waits, and `leave` closes the connection."""

    def __init__(self, address: str = "192.0.2.1") -> None:
        self.waits = asyncio.Event()
        self._left = asyncio.Event()
        self.client = Client(address, "tests", "request", gone=self._gone)

    def leave(self) -> None:
        """Close the connection."""
        self._left.set()

    async def _gone(self) -> None:
        self.waits.set()
        await self._left.wait()
        raise ClientDisconnect
