"""Signs access tokens, with keys that may be replaced while the service runs."""

import time
import uuid
from pathlib import Path

import structlog

from mythoughts_chassis.keys import Jwk, KeySetError, WatchedFile, read_key_set, signing_key
from mythoughts_chassis.tokens import sign_token

_log = structlog.get_logger()


class WatchedKeySet:
    """The keys in a file, always those of the file as it is now.

    Raises `KeySetError` when it is made and the file is missing or damaged. A file that
    turns bad later is left alone until it is good again: the keys read last go on working.
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
    """Signs tokens in the form that `mythoughts_chassis.tokens` describes."""

    def __init__(
        self, private_keys: WatchedKeySet, *, issuer: str, audience: str, lifetime_seconds: int
    ) -> None:
        self._private_keys = private_keys
        self._issuer = issuer
        self._audience = audience
        self._lifetime_seconds = lifetime_seconds

    def sign(self, user_id: int, username: str, *, is_admin: bool) -> str:
        """Return a token that speaks for the user from now on, for its lifetime."""
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
