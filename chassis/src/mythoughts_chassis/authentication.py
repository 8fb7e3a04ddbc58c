"""Who makes a request: the bearer token (RFC 6750), as guards of routes.

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

# Twice, too: who pastes what the login answered, `Bearer TOKEN`, into a field of Swagger or of a
# generated client, sends `Bearer Bearer TOKEN`.
_SCHEME = re.compile(r"Bearer(?: +Bearer)?(?: +|$)", re.IGNORECASE | re.ASCII)


async def requires_user(connection: AnyConnection, _: BaseRouteHandler) -> None:
    """Let only the bearer of a valid token through; raises `Unauthorized`."""
    # Read as they came: Litestar's own view of the headers costs ten times as much. Two of
    # them make one that holds no token, so that nobody has to choose between them.
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
    """Let only an admin through; raises `Unauthorized` or `Forbidden`."""
    await requires_user(connection, handler)
    if not connection.scope["user"].is_admin:
        raise Forbidden("Only an admin may do this.")


def principal_of(request: Request[Any, Any, Any]) -> Principal:
    """Return who a guarded request comes from."""
    principal: Principal = request.scope["user"]
    return principal
