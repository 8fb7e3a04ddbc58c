"""Hashes passwords with argon2id, one at a time, outside the event loop."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Self, TypeVar

import argon2

from mythoughts_chassis.clients import Client
from mythoughts_chassis.settings import Secret
from users_backend.password_rules import as_hashed, check_new_password
from users_backend.turns import Line, Turns

# The minimum for argon2id in OWASP's Password Storage Cheat Sheet.
TIME_COST = 2
MEMORY_KIB = 19 * 1024
PARALLELISM = 1

T = TypeVar("T")


class PasswordHasher:
    """Creates and verifies hashes, for requests that take turns; each costs a core 20 to 30 ms.

    async with passwords.turn(Line.ACCOUNTS, client) as hasher:
        password_hash = await hasher.hash(password)

    A single thread does the work, which limits the memory and cores used by logins. Work of a
    cancelled request is dropped if it has not started; otherwise it is finished before the next
    starts. However many clients give up, there is never more than one hash in progress.
    """

    def __init__(self) -> None:
        self._hasher = argon2.PasswordHasher(TIME_COST, MEMORY_KIB, PARALLELISM)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="passwords")
        self._nobodys_hash = self.hash_now(secrets.token_urlsafe())
        self._turns = Turns()

    @asynccontextmanager
    async def turn(self, line: Line, client: Client) -> AsyncIterator[Self]:
        """Hold a turn within the block; raises what `Turns.turn` raises."""
        async with self._turns.turn(line, client):
            yield self

    async def hash(self, password: str) -> str:
        """Return a hash of the password, with its own salt."""
        return await self._run(lambda: self.hash_now(password))

    async def hash_new(
        self,
        password: Secret,
        username: str,
        *,
        field: str = "password",
        present: Secret | None = None,
    ) -> str:
        """Return a hash of a user's new password; raises what `check_new_password` raises."""
        await self._run(
            lambda: check_new_password(password, username, field=field, present=present)
        )
        return await self.hash(password.reveal())

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Return whether the password matches the hash.

        Without a hash, return False after the same work, so that timing does not reveal whether
        there is one.
        """
        wanted = password_hash or self._nobodys_hash
        return await self._run(lambda: self._verify_now(password, wanted))

    def is_outdated(self, password_hash: str) -> bool:
        """Return whether a new hash would have different parameters."""
        return self._hasher.check_needs_rehash(password_hash)

    def hash_now(self, password: str) -> str:
        """Return a hash of the password, in the caller's thread."""
        return self._hasher.hash(as_hashed(password))

    def _verify_now(self, password: str, password_hash: str) -> bool:
        try:
            return self._hasher.verify(password_hash, as_hashed(password))
        except argon2.exceptions.VerifyMismatchError:
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
