"""Access tokens: JWT (RFC 7519, RFC 9068), signed with RS256, verified offline with public keys.

    header  {"alg": "RS256", "kid": "qF3…", "typ": "at+jwt"}
    claims  {"iss": "mythoughts", "aud": "mythoughts", "sub": "3", "username": "bruce",
             "iat": 1790000000, "exp": 1790043200, "jti": "5b0c…", "sid": "7",
             "scope": "admin"}

`sid` is the id of the session, the same in all its tokens. Only admins have `scope`. The algorithm
is fixed here and never taken from a token; `typ` tells access tokens from everything else that the
same keys sign.
"""

import re
import time
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from joserfc.jws import extract_compact

from mythoughts_chassis.keys import ALGORITHM, Jwk, WatchedKeySet, imported

if TYPE_CHECKING:
    from mythoughts_chassis.ended_sessions import EndedSessions

TYPE = "at+jwt"
# Media types: `application/` may be left out, and case does not matter (RFC 7515, section 4.1.9).
_TYPES = {TYPE, f"application/{TYPE}"}

CLOCK_SKEW_SECONDS = 60
MAX_LIFETIME_SECONDS = 86_400
CACHE_ENTRIES = 10_000
MAX_TOKEN_CHARACTERS = 4096
# Checking the file costs a system call: once a second is often enough to notice a removed key,
# and an unknown key triggers a check at once.
CHECK_KEYS_SECONDS = 1.0

_POSITIVE_INTEGER = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)


class InvalidToken(Exception):
    """The token is not, or no longer, valid; `str()` gives the reason, for the log."""


class EndedToken(InvalidToken):
    """The token was valid: it has expired, or its session has ended."""


class UnknownKey(InvalidToken):
    """The token names a key that is not in the public set."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller named by a verified token; the token's times are in epoch seconds."""

    user_id: int
    username: str
    is_admin: bool
    session_id: int
    issued_at: int
    expires_at: int


class _Claims(msgspec.Struct):
    iss: str
    aud: str
    sub: str
    username: str
    iat: float
    exp: float
    jti: Annotated[str, msgspec.Meta(min_length=1)]
    sid: str
    nbf: float = 0.0
    scope: str = ""


class TokenVerifier:
    """Verifies tokens with the public keys in a file; safe to share between threads.

    Without `ended`, somebody else must check whether the session has ended. The constructor raises
    `KeySetError` if the file is missing or damaged.
    """

    def __init__(
        self,
        *,
        public_keys_path: Path,
        issuer: str,
        audience: str,
        ended: "EndedSessions | None" = None,
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._ended = ended
        self._public_keys = WatchedKeySet(public_keys_path)
        self._keys: list[Jwk] = []
        self._check_keys()

    def verify(self, token: str) -> Principal:
        """Return the token's principal; raises `InvalidToken`."""
        if time.monotonic() >= self._check_keys_at:
            self._check_keys()
        try:
            principal = self._principal_of(token)
        except UnknownKey:
            self._check_keys()
            principal = self._principal_of(token)
        if principal.expires_at + CLOCK_SKEW_SECONDS <= time.time():
            raise EndedToken("expired")
        if self._ended is not None and self._ended.has_ended(principal.session_id):
            raise EndedToken("the session has ended")
        return principal

    @property
    def knows_ended_sessions(self) -> bool:
        """Whether the list of ended sessions is new enough for what only an admin may do.

        False if it is old, or has never arrived.
        """
        return self._ended is None or self._ended.is_up_to_date

    def _check_keys(self) -> None:
        self._check_keys_at = time.monotonic() + CHECK_KEYS_SECONDS
        keys = self._public_keys.keys()
        if keys is not self._keys:
            by_id = {key["kid"]: imported(key) for key in keys}
            # New keys get a new cache: tokens of a removed key must not survive in it.
            self._principal_of = lru_cache(CACHE_ENTRIES)(partial(self._verify, by_id))
            # Last, because other threads take this as a sign that the new keys are in use.
            self._keys = keys

    def _verify(self, keys: dict[str, RSAKey], token: str) -> Principal:
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise InvalidToken("too long")
        try:
            header = extract_compact(token.encode("ascii")).headers()
            key = keys[header["kid"]]
        except KeyError:
            raise UnknownKey("unknown key") from None
        except (JoseError, ValueError, TypeError) as error:
            raise InvalidToken(f"malformed: {error}") from None
        if str(header.get("typ")).lower() not in _TYPES:
            raise InvalidToken("not an access token")
        try:
            decoded = jwt.decode(token, key, algorithms=[ALGORITHM])
            claims = msgspec.convert(decoded.claims, _Claims)
        except (JoseError, ValueError, TypeError, OverflowError) as error:
            raise InvalidToken(str(error)) from None
        _check_times(claims)
        return self._principal(claims)

    def _principal(self, claims: _Claims) -> Principal:
        if claims.iss != self._issuer:
            raise InvalidToken("another issuer")
        if claims.aud != self._audience:
            raise InvalidToken("another audience")
        return Principal(
            user_id=_id_in(claims.sub, "sub"),
            username=claims.username,
            is_admin=claims.scope == "admin",
            session_id=_id_in(claims.sid, "sid"),
            issued_at=int(claims.iat),
            expires_at=int(claims.exp),
        )


def _check_times(claims: _Claims) -> None:
    """Raise `InvalidToken` for impossible times.

    Expiry is checked by the caller: everything here stays true of a token once it is true.
    """
    latest_start = time.time() + CLOCK_SKEW_SECONDS
    # Written so that NaN, with which every comparison is false, is refused.
    if not (0 <= claims.iat <= latest_start and 0 <= claims.nbf <= latest_start):
        raise InvalidToken("not valid yet")
    if not claims.iat <= claims.exp <= claims.iat + MAX_LIFETIME_SECONDS:
        raise InvalidToken("lifetime out of range")


def _id_in(text: str, claim: str) -> int:
    if not _POSITIVE_INTEGER.fullmatch(text) or int(text) >= 2**63:
        raise InvalidToken(f"{claim} is not an id")
    return int(text)
