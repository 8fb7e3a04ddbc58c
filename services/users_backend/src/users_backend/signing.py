"""Signs access tokens with keys that can be replaced while the service runs."""

import time
import uuid
from pathlib import Path

import structlog

from mythoughts_chassis.keys import Jwk, KeySetError, WatchedFile, read_key_set, signing_key
from mythoughts_chassis.tokens import sign_token

_log = structlog.get_logger()


class WatchedKeySet:
    """The keys in a file, reloaded when it changes.

    The constructor raises `KeySetError` if the file is missing or damaged. If the file becomes
    unreadable later, the keys read last stay in use until it is valid again.
    """

    def __init__(self, path: Path) -> None:
        self._file = WatchedFile(path)
        self._file.changed()
        self._keys = read_key_set(path)

    def keys(self) -> list[Jwk]:
        """Return the keys, newest first."""
        if self._file.changed():
            try:
                self._keys = read_key_set(self._file.path)
            except KeySetError:
                _log.exception("keys not read", path=str(self._file.path))
        return self._keys


class TokenSigner:
    """Signs tokens in the format described in `mythoughts_chassis.tokens`."""

    def __init__(
        self, private_keys: WatchedKeySet, *, issuer: str, audience: str, lifetime_seconds: int
    ) -> None:
        self._private_keys = private_keys
        self._issuer = issuer
        self._audience = audience
        self._lifetime_seconds = lifetime_seconds

    def sign(self, user_id: int, username: str, *, is_admin: bool) -> str:
        """Return a token for the user, valid from now on for its lifetime."""
        now = int(time.time())
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": str(user_id),
            "username": username,
            "iat": now,
            "exp": now + self._lifetime_seconds,
            "jti": uuid.uuid4().hex,
        }
        if is_admin:
            claims["scope"] = "admin"
        return sign_token(claims, signing_key(self._private_keys.keys(), now))
