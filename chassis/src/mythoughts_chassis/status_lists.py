"""Status lists: which sessions have ended, one bit for each.

A list is a JWT, signed with the keys of the access tokens, in the form of the IETF's Token Status
List (draft-ietf-oauth-status-list):

    header  {"alg": "RS256", "kid": "qF3…", "typ": "statuslist+jwt"}
    claims  {"iss": "mythoughts", "sub": "/.well-known/ended-sessions",
             "iat": 1790000000.25, "exp": 1790000060.25, "ttl": 1,
             "first": 4096, "status_list": {"bits": 1, "lst": "eNrb…"}}

`lst` is base64url of zlib of the bits, from the lowest of each byte on; 1 means ended. The first
bit is session `first`, an addition to the draft: the list stays small while ids grow.
"""

import time
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from joserfc import jws
from joserfc.errors import JoseError

from mythoughts_chassis.keys import ALGORITHM, Jwk, imported
from mythoughts_chassis.tokens import CLOCK_SKEW_SECONDS

PATH = "/.well-known/ended-sessions"
TYPE = "statuslist+jwt"
# Enough for about 400 million sessions, one bit for each, if few of them have ended.
MAX_LIST_BYTES = 8 * 1024 * 1024
VALID_SECONDS = 60
TTL_SECONDS = 1


class InvalidList(Exception):
    """The list is damaged, forged, of another issuer, or out of date; `str()` says which."""


@dataclass(frozen=True, slots=True)
class StatusList:
    """The sessions that had ended at `issued_at` (epoch seconds)."""

    issued_at: float = 0.0
    first: int = 0
    bits: bytes = b""

    def has_ended(self, session_id: int) -> bool:
        """Whether the session is among them."""
        place = session_id - self.first
        return 0 <= place < 8 * len(self.bits) and (self.bits[place >> 3] >> (place & 7)) & 1 == 1


def list_of(session_ids: list[int], issued_at: float) -> StatusList:
    """Return the list of these sessions, in any order."""
    if not session_ids:
        return StatusList(issued_at)
    first = min(session_ids) & ~7
    bits = bytearray((max(session_ids) - first >> 3) + 1)
    for session_id in session_ids:
        place = session_id - first
        bits[place >> 3] |= 1 << (place & 7)
    return StatusList(issued_at, first, bytes(bits))


def claims_of(status_list: StatusList, issuer: str) -> dict[str, Any]:
    """Return the claims of the JWT."""
    return {
        "iss": issuer,
        "sub": PATH,
        "iat": status_list.issued_at,
        "exp": status_list.issued_at + VALID_SECONDS,
        "ttl": TTL_SECONDS,
        "first": status_list.first,
        "status_list": {
            "bits": 1,
            "lst": urlsafe_b64encode(zlib.compress(status_list.bits)).rstrip(b"=").decode(),
        },
    }


class _Bits(msgspec.Struct):
    bits: Annotated[int, msgspec.Meta(ge=1, le=1)]
    lst: str


class _Claims(msgspec.Struct):
    iss: str
    sub: str
    iat: float
    exp: float
    first: Annotated[int, msgspec.Meta(ge=0)]
    status_list: _Bits


class _Registry(jws.JWSRegistry):
    max_payload_length = MAX_LIST_BYTES


_REGISTRY = _Registry(algorithms=[ALGORITHM])


def read(token: str, keys: Iterable[Jwk], issuer: str) -> StatusList:
    """Return the list in a JWT, verified with the public `keys`; raises `InvalidList`."""
    try:
        signed = token.encode("ascii")
        header = jws.extract_compact(signed).headers()
        key = {key["kid"]: key for key in keys}[header["kid"]]
        decoded = jws.deserialize_compact(signed, imported(key), registry=_REGISTRY)
        claims = msgspec.json.decode(decoded.payload, type=_Claims)
        bits = zlib.decompress(urlsafe_b64decode(claims.status_list.lst + "=="))
    except KeyError:
        raise InvalidList("unknown key") from None
    except (JoseError, ValueError, TypeError, zlib.error) as error:
        raise InvalidList(f"malformed: {error}") from None
    _check(header, claims, issuer)
    return StatusList(claims.iat, claims.first, bits)


def _check(header: dict[str, Any], claims: _Claims, issuer: str) -> None:
    if header.get("typ") != TYPE:
        raise InvalidList("not a status list")
    if (claims.iss, claims.sub) != (issuer, PATH):
        raise InvalidList("another issuer or subject")
    now = time.time()
    if not claims.iat - CLOCK_SKEW_SECONDS <= now < claims.exp + CLOCK_SKEW_SECONDS:
        raise InvalidList("out of date, or the clocks differ")
