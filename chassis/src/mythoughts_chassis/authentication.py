"""Authentication by bearer token (RFC 6750)."""

import re
from collections.abc import Iterable

from mythoughts_chassis.problems import Unauthorized
from mythoughts_chassis.tokens import InvalidToken, Principal, TokenVerifier

# `Bearer` may appear twice: users paste the login response, `Bearer TOKEN`, into a field of
# Swagger UI or a generated client, which then sends `Bearer Bearer TOKEN`.
_SCHEME = re.compile(r"Bearer(?: +Bearer)?(?: +|$)", re.IGNORECASE | re.ASCII)


def authenticate(headers: Iterable[tuple[bytes, bytes]], verifier: TokenVerifier) -> Principal:
    """Return the caller of a request with these headers; raises `Unauthorized`."""
    # If there are two, the joined value is not a valid token, so there is no need to choose.
    credentials = b", ".join(value for name, value in headers if name == b"authorization")
    scheme = _SCHEME.match(credentials.decode("latin-1"))
    if scheme is None:
        raise Unauthorized
    try:
        return verifier.verify(scheme.string[scheme.end() :].strip())
    except InvalidToken as error:
        raise Unauthorized(
            "The token is not valid. Log in again.", challenge='Bearer error="invalid_token"'
        ) from error
