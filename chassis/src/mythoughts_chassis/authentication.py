"""Authentication by bearer token (RFC 6750), as route guards.

Guards run before the body is read, so 401 and 403 come before 400.
"""

import re
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from mythoughts_chassis.problems import Forbidden, Unauthorized
from mythoughts_chassis.tokens import InvalidToken, Principal, TokenVerifier

AnyConnection = ASGIConnection[Any, Any, Any, Any]

# `Bearer` may appear twice: users paste the login response, `Bearer TOKEN`, into a field of
# Swagger UI or a generated client, which then sends `Bearer Bearer TOKEN`.
_SCHEME = re.compile(r"Bearer(?: +Bearer)?(?: +|$)", re.IGNORECASE | re.ASCII)


async def requires_user(connection: AnyConnection, _: BaseRouteHandler) -> None:
    """Require a valid token; raises `Unauthorized`."""
    # Raw headers: Litestar's own view of them costs ten times as much. If there are two, the
    # joined value is not a valid token, so there is no need to choose between them.
    headers = connection.scope["headers"]
    credentials = b", ".join(value for name, value in headers if name == b"authorization")
    scheme = _SCHEME.match(credentials.decode("latin-1"))
    if scheme is None:
        raise Unauthorized
    token = scheme.string[scheme.end() :]
    verifier: TokenVerifier = connection.app.state.verifier
    try:
        connection.scope["user"] = verifier.verify(token.strip())
    except InvalidToken as error:
        raise Unauthorized(
            "The token is not valid. Log in again.", challenge='Bearer error="invalid_token"'
        ) from error


async def requires_admin(connection: AnyConnection, handler: BaseRouteHandler) -> None:
    """Require the token of an admin; raises `Unauthorized` or `Forbidden`."""
    await requires_user(connection, handler)
    if not connection.scope["user"].is_admin:
        raise Forbidden("Only an admin may do this.")


def principal_of(request: Request[Any, Any, Any]) -> Principal:
    """Return the caller of a guarded request."""
    principal: Principal = request.scope["user"]
    return principal
