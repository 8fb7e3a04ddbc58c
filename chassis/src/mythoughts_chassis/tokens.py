"""Access tokens: JWT (RFC 7519), signed with RS256, verified offline with public keys.

    header  {"alg": "RS256", "kid": "qF3…", "typ": "JWT"}
    claims  {"iss": "mythoughts", "aud": "mythoughts", "sub": "3", "username": "bruce",
             "iat": 1790000000, "exp": 1790172800, "jti": "5b0c…", "scope": "admin"}

Only admins have `scope`. The algorithm is fixed here and never taken from a token.
"""

import re
import threading
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from joserfc.jws import extract_compact

from mythoughts_chassis.keys import ALGORITHM, KeySetError, WatchedFile, read_key_set

CLOCK_SKEW_SECONDS = 60
CACHE_ENTRIES = 10_000
MAX_TOKEN_CHARACTERS = 4096
# Checking the file costs a system call: once a second is often enough to notice a removed key,
# and an unknown key triggers a check at once.
CHECK_KEYS_SECONDS = 1.0

_log = structlog.get_logger()

_POSITIVE_INTEGER = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)


class InvalidToken(Exception):
    """The token is not, or no longer, valid; `str()` gives the reason, for the log."""


class ExpiredToken(InvalidToken):
    """The token is genuine but has expired."""


class UnknownKey(InvalidToken):
    """The token names a key that is not in the public set."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller named by a verified token; `expires_at` is in epoch seconds."""

    user_id: int
    username: str
    is_admin: bool
    expires_at: int


class _Claims(msgspec.Struct):
    iss: str
    aud: str
    sub: str
    username: str
    iat: float
    exp: float
    jti: str
    scope: str = ""


def sign_token(claims: dict[str, Any], private_key: dict[str, Any]) -> str:
    """Return the compact form of a token signed with `private_key`, a JWK."""
    header = {"alg": ALGORITHM, "kid": private_key["kid"], "typ": "JWT"}
    key = _imported(frozenset(private_key.items()))
    return jwt.encode(header, claims, key, algorithms=[ALGORITHM])


@lru_cache(maxsize=4)
def _imported(private_key: frozenset[tuple[str, Any]]) -> RSAKey:
    """Import the key, once: the check of its numbers takes 45 ms, signing 0.3 ms."""
    return RSAKey.import_key(dict(private_key))


class TokenVerifier:
    """Verifies tokens with the public keys in a file; safe to share between threads.

    The constructor raises `KeySetError` if the file is missing or damaged. If the file becomes
    unreadable later, the keys read last stay in use until it is valid again.
    """

    def __init__(self, *, public_keys_path: Path, issuer: str, audience: str) -> None:
        self._issuer = issuer
        self._audience = audience
        self._file = WatchedFile(public_keys_path)
        self._lock = threading.Lock()
        self._verified: dict[str, Principal] = {}
        self._file.changed()
        self._keys = _keys_by_id(public_keys_path)
        self._check_keys_at = time.monotonic() + CHECK_KEYS_SECONDS

    def verify(self, token: str) -> Principal:
        """Return the token's principal; raises `InvalidToken`."""
        now = time.monotonic()
        if now >= self._check_keys_at:
            self._refresh_keys(now)
        principal = self._verified.get(token)
        if principal is None:
            principal = self._verify_and_remember(token)
        if principal.expires_at + CLOCK_SKEW_SECONDS <= time.time():
            raise ExpiredToken("expired")
        return principal

    def _verify_and_remember(self, token: str) -> Principal:
        keys = self._keys
        try:
            principal = self._verified_principal(token, keys)
        except UnknownKey:
            self._refresh_keys(time.monotonic())
            keys = self._keys
            principal = self._verified_principal(token, keys)
        with self._lock:
            # A key removed in the meantime must not survive in the cache.
            if keys is self._keys:
                if len(self._verified) >= CACHE_ENTRIES:
                    self._verified.clear()
                self._verified[token] = principal
        return principal

    def _verified_principal(self, token: str, keys: dict[str, RSAKey]) -> Principal:
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise InvalidToken("too long")
        try:
            key = keys[extract_compact(token.encode("ascii")).headers()["kid"]]
        except KeyError:
            raise UnknownKey("unknown key") from None
        except (JoseError, ValueError, TypeError) as error:
            raise InvalidToken(f"malformed: {error}") from None
        try:
            decoded = jwt.decode(token, key, algorithms=[ALGORITHM])
            claims = msgspec.convert(decoded.claims, _Claims)
        except (JoseError, ValueError, TypeError) as error:
            raise InvalidToken(str(error)) from None
        return self._principal(claims)

    def _principal(self, claims: _Claims) -> Principal:
        if claims.iss != self._issuer:
            raise InvalidToken("another issuer")
        if claims.aud != self._audience:
            raise InvalidToken("another audience")
        if not _POSITIVE_INTEGER.fullmatch(claims.sub) or int(claims.sub) >= 2**63:
            raise InvalidToken("sub is not a user id")
        return Principal(
            user_id=int(claims.sub),
            username=claims.username,
            is_admin=claims.scope == "admin",
            expires_at=int(claims.exp),
        )

    def _refresh_keys(self, now: float) -> None:
        with self._lock:
            self._check_keys_at = now + CHECK_KEYS_SECONDS
            if not self._file.changed():
                return
            try:
                self._keys = _keys_by_id(self._file.path)
            except KeySetError:
                _log.exception("public keys not read", path=str(self._file.path))
                return
            self._verified = {}


def _keys_by_id(path: Path) -> dict[str, RSAKey]:
    return {key["kid"]: RSAKey.import_key(key) for key in read_key_set(path)}
