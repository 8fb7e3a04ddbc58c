"""The HTTP endpoints."""

from typing import Annotated

import msgspec

from mythoughts_chassis.endpoints import Admin, Answer, Caller, Check, delete, get, post
from mythoughts_chassis.pagination import Page, PageQuery
from mythoughts_chassis.problems import Conflict, Forbidden, NotFound, Unauthorized
from mythoughts_chassis.tokens import Principal
from users_backend import users
from users_backend.parts import Parts
from users_backend.schemas import (
    LoggedIn,
    Login,
    NewUser,
    PasswordChange,
    PublicKey,
    PublicKeys,
    User,
)

KEYS_CACHE = "public, max-age=300"


async def check_presence(parts: Parts, caller: Principal) -> None:
    """Reject the token of a deleted user; raises `Unauthorized`."""
    await users.get(parts.database, caller.user_id)


PresentAdmin = Annotated[Admin, Check(check_presence)]


@post(
    "/api/login",
    status=200,
    problems=(Unauthorized,),
    headers={"Cache-Control": "Always `no-store`."},
)
async def log_in(parts: Parts, body: Login) -> Answer[LoggedIn]:
    """Log in.

    A wrong name and a wrong password get the same response. Send the returned token in the
    `Authorization` header of other requests.
    """
    token = await users.log_in(parts.database, parts.passwords, parts.signer, body)
    return Answer(LoggedIn(f"Bearer {token}"), {"Cache-Control": "no-store"})


@get("/api/me")
async def get_me(parts: Parts, caller: Caller) -> User:
    """Get the user of the token."""
    return await users.get(parts.database, caller.user_id)


@post("/api/me/password", problems=(Forbidden,))
async def change_password(parts: Parts, caller: Caller, body: PasswordChange) -> None:
    """Change your own password.

    403 means that `password` is not the current one. Tokens stay valid until they expire.
    """
    await users.change_password(parts.database, parts.passwords, caller.user_id, body)


@get("/admin/users")
async def list_users(parts: Parts, caller: PresentAdmin, query: PageQuery) -> Page[User]:
    """List the users, newest first."""
    return await users.find(parts.database, query)


@post("/admin/users", problems=(Conflict,))
async def create_user(parts: Parts, caller: PresentAdmin, body: NewUser) -> User:
    """Create a user.

    409 means that the name is taken, perhaps by a deleted user, or looks like a name that is
    taken.
    """
    return await users.create(parts.database, parts.passwords, body)


@delete("/admin/users/{user_id}", problems=(NotFound,))
async def delete_user(parts: Parts, caller: PresentAdmin, user_id: int) -> None:
    """Delete a user; succeeds even if the user is already gone.

    The name is never reused. The user's tokens stay valid in the other services until they
    expire.
    """
    await users.delete(parts.database, user_id)


@get("/.well-known/jwks.json", headers={"Cache-Control": "How long the keys may be cached."})
async def get_public_keys(parts: Parts) -> Answer[PublicKeys]:
    """Get the public keys for verifying tokens, a JWK set (RFC 7517)."""
    keys = msgspec.convert(parts.public_keys.keys(), list[PublicKey])
    return Answer(PublicKeys(keys), {"Cache-Control": KEYS_CACHE})


ENDPOINTS = (
    log_in,
    get_me,
    change_password,
    list_users,
    create_user,
    delete_user,
    get_public_keys,
)
