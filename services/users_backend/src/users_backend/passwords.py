"""Hashes passwords with argon2id, one at a time, beside the event loop.

Passwords are taken in Unicode's form NFC (RFC 8265, OpaqueString): keyboards differ in the
form that they send.
"""

import asyncio
import secrets
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import argon2

# What OWASP's Password Storage Cheat Sheet names as the least for argon2id.
TIME_COST = 2
MEMORY_KIB = 19 * 1024
PARALLELISM = 1

T = TypeVar("T")


class PasswordHasher:
    """Makes and verifies hashes; each takes about 30 ms of one core.

    One thread does the work, so that logins keep neither each other's memory nor all cores.
    Work whose request is cancelled is dropped if it has not begun, and else finished before
    the next: however many clients give up, there is never more than one hash under way.
    """

    def __init__(self) -> None:
        self._hasher = argon2.PasswordHasher(TIME_COST, MEMORY_KIB, PARALLELISM)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="passwords")
        self._nobodys_hash = self.hash_now(secrets.token_urlsafe())

    async def hash(self, password: str) -> str:
        """Return a hash of the password, with a salt of its own."""
        return await self._run(lambda: self.hash_now(password))

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Return whether the hash is the password's.

        Without a hash the answer is False, after the same work: the time does not tell
        whether there is one.
        """
        wanted = password_hash or self._nobodys_hash
        return await self._run(lambda: self._verify_now(password, wanted))

    def is_outdated(self, password_hash: str) -> bool:
        """Return whether a hash made now would have other parameters."""
        return self._hasher.check_needs_rehash(password_hash)

    def hash_now(self, password: str) -> str:
        """Return a hash of the password, in the caller's thread."""
        return self._hasher.hash(_normal(password))

    def _verify_now(self, password: str, password_hash: str) -> bool:
        try:
            return self._hasher.verify(password_hash, _normal(password))
        except argon2.exceptions.VerifyMismatchError:
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _normal(password: str) -> str:
    return unicodedata.normalize("NFC", password)
