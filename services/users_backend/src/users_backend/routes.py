"""The HTTP endpoints."""

from typing import Any

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.handlers import BaseRouteHandler

from mythoughts_chassis.authentication import (
    AnyConnection,
    principal_of,
    requires_admin,
    requires_user,
)
from mythoughts_chassis.inputs import parse_id, read_body, read_query
from mythoughts_chassis.openapi import documented
from mythoughts_chassis.pagination import PageQuery
from mythoughts_chassis.problems import Conflict, Forbidden, NotFound, Unauthorized
from users_backend import users
from users_backend.schemas import (
    LoggedIn,
    Login,
    NewUser,
    PasswordChange,
    PublicKey,
    PublicKeys,
    User,
)

AnyRequest = Request[Any, Any, Any]

LINK = {"Link": 'The neighbouring pages (RFC 8288): `rel="next"` is older, `rel="prev"` newer.'}
KEYS_CACHE = "public, max-age=300"


async def requires_present_user(connection: AnyConnection, _: BaseRouteHandler) -> None:
    """Reject the token of a deleted user; raises `Unauthorized`."""
    await users.get(connection.app.state.database, connection.scope["user"].user_id)


@post(
    "/api/login",
    status_code=200,
    opt=documented(
        body=Login, problems=(Unauthorized,), headers={"Cache-Control": "Always `no-store`."}
    ),
)
async def log_in(request: AnyRequest) -> Response[LoggedIn]:
    """Log in.

    A wrong name and a wrong password get the same response. Send the returned token in the
    `Authorization` header of other requests.
    """
    login = await read_body(request, Login)
    state = request.app.state
    token = await users.log_in(state.database, state.passwords, state.signer, login)
    return Response(LoggedIn(f"Bearer {token}"), headers={"Cache-Control": "no-store"})


@get("/api/me", guards=[requires_user], opt=documented())
async def get_me(request: AnyRequest) -> User:
    """Get the user of the token."""
    return await users.get(request.app.state.database, principal_of(request).user_id)


@post(
    "/api/me/password",
    status_code=204,
    guards=[requires_user],
    opt=documented(body=PasswordChange, problems=(Forbidden,)),
)
async def change_password(request: AnyRequest) -> None:
    """Change your own password.

    403 means that `password` is not the current one. Tokens stay valid until they expire.
    """
    change = await read_body(request, PasswordChange)
    state = request.app.state
    user_id = principal_of(request).user_id
    await users.change_password(state.database, state.passwords, user_id, change)


@get(
    "/admin/users",
    guards=[requires_admin, requires_present_user],
    opt=documented(query=PageQuery, headers=LINK),
)
async def list_users(request: AnyRequest) -> Response[list[User]]:
    """List the users, newest first."""
    query = read_query(request, PageQuery)
    page = await users.find(request.app.state.database, query)
    ids = [user.id for user in page.users]
    link = query.link(
        "/admin/users",
        older_than=ids[-1] if page.has_older and ids else None,
        newer_than=ids[0] if ids else None,
    )
    return Response(page.users, headers={"Link": link} if link else None)


@post(
    "/admin/users",
    guards=[requires_admin, requires_present_user],
    opt=documented(body=NewUser, problems=(Conflict,)),
)
async def create_user(request: AnyRequest) -> User:
    """Create a user.

    409 means that the name is taken, perhaps by a deleted user, or looks like a name that is
    taken.
    """
    new_user = await read_body(request, NewUser)
    state = request.app.state
    return await users.create(state.database, state.passwords, new_user)


@delete(
    "/admin/users/{user_id:str}",
    guards=[requires_admin, requires_present_user],
    opt=documented(problems=(NotFound,)),
)
async def delete_user(request: AnyRequest, user_id: str) -> None:
    """Delete a user; succeeds even if the user is already gone.

    The name is never reused. The user's tokens stay valid in the other services until they
    expire.
    """
    await users.delete(request.app.state.database, parse_id(user_id))


@get(
    "/.well-known/jwks.json",
    opt=documented(headers={"Cache-Control": "How long the keys may be cached."}),
)
async def get_public_keys(request: AnyRequest) -> Response[PublicKeys]:
    """Get the public keys for verifying tokens, a JWK set (RFC 7517)."""
    keys = msgspec.convert(request.app.state.public_keys.keys(), list[PublicKey])
    return Response(PublicKeys(keys), headers={"Cache-Control": KEYS_CACHE})


HANDLERS = (
    log_in,
    get_me,
    change_password,
    list_users,
    create_user,
    delete_user,
    get_public_keys,
)
