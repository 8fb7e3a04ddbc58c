"""Publishes which sessions have ended, for the services that verify tokens."""

import asyncio
import time

from mythoughts_chassis import status_lists
from mythoughts_chassis.database import Database
from mythoughts_chassis.keys import WatchedKeySet
from mythoughts_chassis.status_lists import StatusList
from users_backend import session_queries
from users_backend.signing import sign_token, signing_key

# All requests within this time share one look at the database.
SHARED_SECONDS = 1.0
# An unchanged list is signed again, long before verifiers find it too old.
SIGN_AGAIN_SECONDS = 15.0


class EndedSessionsList:
    """The signed list of the sessions that have ended, from the database.

    The whole list is read each time, in one statement, so that a session whose end is committed
    late is in the next list. The time is the database's, so that the lists of several processes
    have an order.
    """

    def __init__(self, database: Database, private_keys: WatchedKeySet, *, issuer: str) -> None:
        self._database = database
        self._private_keys = private_keys
        self._issuer = issuer
        self._one_at_a_time = asyncio.Lock()
        self._looked_at = -SHARED_SECONDS
        self._list = StatusList()
        self._signed = ""

    async def signed(self) -> str:
        """Return the list as a JWT, at most `SHARED_SECONDS` old; raises `Unavailable`."""
        async with self._one_at_a_time:
            looked_at = time.monotonic()
            if looked_at - self._looked_at >= SHARED_SECONDS:
                now, ended = await session_queries.fetch_ended_sessions(self._database)
                # A million sessions take some milliseconds, in which other requests are answered.
                await asyncio.to_thread(self._publish, ended, now)
                self._looked_at = looked_at
        return self._signed

    def _publish(self, ended: list[int], now: float) -> None:
        """Sign the list if it differs from the present one, or the present one is old."""
        new = status_lists.list_of(ended, now)
        is_same = (new.first, new.bits) == (self._list.first, self._list.bits)
        if not is_same or new.issued_at - self._list.issued_at >= SIGN_AGAIN_SECONDS:
            key = signing_key(self._private_keys.keys(), new.issued_at)
            claims = status_lists.claims_of(new, self._issuer)
            self._signed = sign_token(claims, key, typ=status_lists.TYPE)
            self._list = new
