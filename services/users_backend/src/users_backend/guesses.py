"""Wrong passwords are counted; after a few, each one makes the next attempt wait longer.

All replicas count together, in the table `guesses`. Only attempts whose password was checked
count. There are different counts for different callers:

    a stranger's login    the name from this network; the network must wait for this name
                          the network, with any name; it must wait for every name
                          the name, from any network; networks that were wrong about it wait longer,
                          but others do not wait: nobody can lock a user out
    a known browser's     the browser alone, so what strangers do does not affect it
    a session's           the session alone

Right passwords are counted by account, because each adds to the audit log.

Names are counted whether or not they exist. People also type passwords where the name belongs, so
the keys in the table are keyed hashes, which reveal nothing to those who can read it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import blake2b
from math import ceil
from typing import NamedTuple

from mythoughts_chassis.clients import Client
from mythoughts_chassis.database import Connection, Database
from mythoughts_chassis.problems import TooManyRequests
from mythoughts_chassis.rate_limits import RateLimit, rate_limit_headers
from users_backend import queries

FIRST_WAIT_SECONDS = 10
MAX_WAIT_SECONDS = 900
_MAX_DOUBLINGS = 10


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many failures are free; one failure is forgotten every `forget_seconds`.

    After the last free one, the next attempt must wait for `FIRST_WAIT_SECONDS`, and after each
    further failure twice as long as before, up to `MAX_WAIT_SECONDS`.
    """

    name: str
    free: int
    forget_seconds: int

    @property
    def max_failures(self) -> int:
        """Further failures are not counted: these make the longest wait, even after such a wait.

        Otherwise an attack by many addresses would make the user wait for days after its end.
        """
        return self.free + _MAX_DOUBLINGS + MAX_WAIT_SECONDS // self.forget_seconds

    def wait_seconds(self, failures: int) -> int:
        """Return how long to wait after this number of failures."""
        if failures < self.free:
            return 0
        doublings = min(failures - self.free, _MAX_DOUBLINGS)
        return min(FIRST_WAIT_SECONDS << doublings, MAX_WAIT_SECONDS)


# For one name from one network, for a browser, and for a session.
OWN = Allowance("passwords", free=5, forget_seconds=600)
NETWORK = Allowance("logins", free=20, forget_seconds=60)
NAME = Allowance("names", free=50, forget_seconds=60)
REGISTRATIONS = Allowance("registrations", free=10, forget_seconds=360)
# Logins and changes of the password: 2,000 a day, so a program may log in every minute.
ACCOUNT = Allowance("accounts", free=1000, forget_seconds=43)


@dataclass(frozen=True, slots=True)
class Count:
    """The current count of failures: its key in the table, and what it allows."""

    key: bytes
    allowance: Allowance
    failures: int = 0
    wait_seconds: float = 0

    @property
    def next_forget_seconds(self) -> int:
        """How much later all failures are forgotten after one more."""
        counted = self.failures < self.allowance.max_failures
        return self.allowance.forget_seconds if counted else 0

    @property
    def next_wait_seconds(self) -> int:
        """How long to wait after one more failure."""
        return self.allowance.wait_seconds(self.failures + 1)


class Attempt(NamedTuple):
    """An attempt that may be made, and what its failure counts for.

    `own` is forgotten when it succeeds; `network` and `name` are shared with other attempts.
    """

    own: Count
    network: Count | None = None
    name: Count | None = None

    async def fail(self, connection: Connection) -> None:
        """Count the failure; because of the count of the name, only this network must wait."""
        waits = {self.own: self.own.next_wait_seconds}
        if self.network is not None:
            waits[self.network] = self.network.next_wait_seconds
        if self.name is not None:
            waits[self.own] = max(waits[self.own], self.name.next_wait_seconds)
            waits[self.name] = 0
        await queries.add_wrong_guesses(
            connection,
            [(count.key, count.next_forget_seconds, wait) for count, wait in waits.items()],
        )

    async def succeed(self, database: Database) -> None:
        """Forget the failures that the right password explains."""
        if self.own.failures:
            await queries.forget_guesses(database, self.own.key)


class Guesses:
    """Admits attempts; `secret` keys the hashes in the table."""

    def __init__(self, database: Database, secret: Callable[[], bytes]) -> None:
        self._database = database
        self._secret = secret

    async def admit_stranger(self, client: Client, username: str) -> Attempt:
        """Return a stranger's attempt to log in; raises `TooManyRequests`."""
        name = await queries.fold_name(self._database, username)
        return Attempt(
            *await self._counts(
                Count(self._key("name and network", name, client.network), OWN),
                Count(self._key("network", client.network), NETWORK),
                Count(self._key("name", name), NAME),
            )
        )

    async def admit_browser(self, token: str) -> Attempt:
        """Return the attempt to log in of a known browser; raises `TooManyRequests`."""
        return Attempt(*await self._counts(Count(self._key("browser", token), OWN)))

    async def admit_session(self, session_id: int) -> Attempt:
        """Return the attempt of a user to confirm the password; raises `TooManyRequests`."""
        return Attempt(*await self._counts(Count(self._key("session", str(session_id)), OWN)))

    async def count_registration(self, client: Client) -> None:
        """Count a registration by the client's network; raises `TooManyRequests`.

        It counts whether it succeeds or not: it is not a guess, but costs a hash and a name.
        """
        await self._count(self._key("registration", client.network), REGISTRATIONS)

    async def count_right_password(self, user_id: int) -> None:
        """Count a login of a user, or a change of the password; raises `TooManyRequests`.

        This needs the right password, so nobody can make others wait.
        """
        await self._count(self._key("account", str(user_id)), ACCOUNT)

    async def _count(self, key: bytes, allowance: Allowance) -> None:
        (count,) = await self._counts(Count(key, allowance))
        await self._database.run(Attempt(count).fail, repeatable=False)

    def _key(self, kind: str, *values: str) -> bytes:
        text = "\0".join((kind, *values))
        return blake2b(text.encode(), key=self._secret(), digest_size=16).digest()

    async def _counts(self, *counts: Count) -> list[Count]:
        """Return the current counts; raises `TooManyRequests` if one requires waiting."""
        past = await queries.find_guesses(self._database, [count.key for count in counts])
        counted = [_counted(count, *past.get(count.key, (0, 0))) for count in counts]
        longest = max(counted, key=lambda count: count.wait_seconds)
        if longest.wait_seconds > 0:
            raise _too_many(longest)
        return counted


def _counted(count: Count, kept_seconds: float, wait_seconds: float) -> Count:
    failures = ceil(max(kept_seconds, 0) / count.allowance.forget_seconds)
    return replace(count, failures=failures, wait_seconds=wait_seconds)


def _too_many(count: Count) -> TooManyRequests:
    limit = RateLimit(
        count.allowance.name,
        quota=count.allowance.free,
        window_seconds=count.allowance.free * count.allowance.forget_seconds,
        remaining=0,
        reset_seconds=count.wait_seconds,
    )
    return TooManyRequests(
        "There have been too many attempts. Please wait before the next one.",
        retry_after_seconds=count.wait_seconds,
        headers=rate_limit_headers(limit),
    )
