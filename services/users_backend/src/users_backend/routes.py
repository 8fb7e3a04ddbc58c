"""The HTTP endpoints."""

from typing import Annotated

import msgspec

from mythoughts_chassis import audit, status_lists
from mythoughts_chassis.audit import AuditEntry
from mythoughts_chassis.clients import Client
from mythoughts_chassis.endpoints import (
    Admin,
    Caller,
    RequestHeader,
    WithHeaders,
    delete,
    get,
    patch,
    post,
)
from mythoughts_chassis.pagination import Page, PageQuery
from mythoughts_chassis.problems import Conflict, Forbidden, NotFound, TooManyRequests, Unauthorized
from users_backend import accounts, browsers, sessions, users
from users_backend.parts import Parts
from users_backend.schemas import (
    Deletion,
    EndedSessions,
    LoggedIn,
    Login,
    NewUser,
    PasswordChange,
    PublicKey,
    PublicKeys,
    Session,
    User,
    UserChange,
    UsersQuery,
)
from users_backend.sessions import CurrentCaller

NOT_STORED = {"Cache-Control": "no-store"}
KEYS_CACHE = "public, max-age=300"


@post(
    "/api/login",
    status=200,
    problems=(Unauthorized, Forbidden, Conflict, TooManyRequests),
    headers={"Cache-Control": "Always `no-store`."},
)
async def log_in(
    parts: Parts,
    client: Client,
    device_token: Annotated[
        str, RequestHeader(browsers.HEADER, browsers.SCHEMA, browsers.parse_token)
    ],
    body: Login,
) -> WithHeaders[LoggedIn]:
    """Log in, which starts a session.

    A wrong name and a wrong password get the same response. Send the returned token in the
    `Authorization` header of other requests. After several failures, 429 says how long to wait.

    With `new_password`, the password is changed as well, which ends all other sessions. 403 means
    that the password is temporary, and that a new one must be sent with it; 409 that the temporary
    password has expired.
    """
    return WithHeaders(await users.log_in(parts, client, body, device_token), NOT_STORED)


@post("/api/logout")
async def log_out(parts: Parts, client: Client, caller: Caller) -> None:
    """Log out: end the session that the token belongs to, with all its tokens."""
    await sessions.log_out(parts, client, caller)


@get("/api/me")
async def get_me(caller: CurrentCaller) -> User:
    """Get the user of the token."""
    return caller.user


@post("/api/me/token", status=200, headers={"Cache-Control": "Always `no-store`."})
async def renew_token(parts: Parts, caller: Caller) -> WithHeaders[LoggedIn]:
    """Get a new token of the same session, with the user's current name and rights.

    A session ends 30 days after the login, unless configured otherwise, and every token of it ends
    by then. The present token stays valid.
    """
    token = await sessions.renew(parts, caller)
    return WithHeaders(LoggedIn(f"Bearer {token}"), NOT_STORED)


@get("/api/me/sessions")
async def list_sessions(parts: Parts, caller: Caller, query: PageQuery) -> Page[Session]:
    """List your own sessions, newest first: one for each login that has not ended."""
    return await sessions.find(parts, caller, query)


@delete("/api/me/sessions/{session_id}", problems=(NotFound,))
async def end_session(parts: Parts, client: Client, caller: Caller, session_id: int) -> None:
    """End one of your own sessions.

    This service refuses its tokens at once, the others a few seconds later.
    """
    await sessions.end_own(parts, client, caller, session_id)


@delete("/api/me/sessions")
async def end_other_sessions(parts: Parts, client: Client, caller: Caller) -> None:
    """End all your own sessions but the one that the token belongs to."""
    await sessions.end_others(parts, client, caller)


@post("/api/me/password", problems=(Forbidden, TooManyRequests))
async def change_password(
    parts: Parts, client: Client, caller: Caller, body: PasswordChange
) -> None:
    """Change your own password, which ends all your other sessions.

    403 means that `password` is not the current one.
    """
    await users.change_password(parts, client, caller, body)


@delete("/api/me", problems=(Forbidden, Conflict, TooManyRequests))
async def delete_me(parts: Parts, client: Client, caller: Caller, body: Deletion) -> None:
    """Delete your own account and end its sessions.

    403 means that `password` is not the current one, 409 that no admin would be left. The name is
    never reused. Your thoughts are not deleted: delete them first, in the Thoughts Backend.
    """
    await accounts.delete_own(parts, client, caller, body)


@post("/api/users", problems=(Forbidden, Conflict, TooManyRequests))
async def register(parts: Parts, client: Client, body: NewUser) -> User:
    """Create an account for yourself, if registration is open.

    403 means that it is closed, 409 that the name is taken, perhaps by a deleted user, or looks
    like a name that is taken.
    """
    return await accounts.register(parts, client, body)


@post("/api/users")
async def refuse_registration() -> User:
    """Take the place of `register` while registration is closed: no body is read."""
    raise Forbidden("Registration is closed. Ask an admin for an account.")


@get("/admin/users")
async def list_users(parts: Parts, client: Client, caller: Admin, query: UsersQuery) -> Page[User]:
    """List or search the users, newest first."""
    return await accounts.find_for_admin(parts.database, query, client, caller)


@get("/admin/users/{user_id}", problems=(NotFound,))
async def get_user(parts: Parts, client: Client, caller: Admin, user_id: int) -> User:
    """Get one user."""
    return await accounts.get_for_admin(parts.database, user_id, client, caller)


@post("/admin/users", problems=(Conflict, TooManyRequests))
async def create_user(parts: Parts, client: Client, caller: Admin, body: NewUser) -> User:
    """Create a user, who must change the password at the first login.

    409 means that the name is taken, perhaps by a deleted user, or looks like a name that is
    taken.
    """
    return await accounts.create(parts, client, caller, body)


@patch("/admin/users/{user_id}", problems=(NotFound, Conflict, TooManyRequests))
async def change_user(
    parts: Parts, client: Client, caller: Admin, user_id: int, body: UserChange
) -> User:
    """Change a user's rights, disable or enable the user, or reset the password.

    What is not given stays as it is. Every change ends the user's sessions. After a reset the user
    must change the password at the next login. 409 means that no admin would be left.
    """
    return await accounts.change(parts, client, caller, user_id, body)


@delete("/admin/users/{user_id}", problems=(NotFound, Conflict))
async def delete_user(parts: Parts, client: Client, caller: Admin, user_id: int) -> None:
    """Delete a user and end their sessions; succeeds even if the user is already gone.

    The name is never reused. 409 means that no admin would be left.
    """
    await accounts.delete(parts, client, caller, user_id)


@delete("/admin/users/{user_id}/sessions", problems=(NotFound,))
async def end_user_sessions(parts: Parts, client: Client, caller: Admin, user_id: int) -> None:
    """End all sessions of a user, who can log in again."""
    await accounts.end_sessions(parts, client, caller, user_id)


@get("/admin/audit")
async def list_audit(
    parts: Parts, client: Client, caller: Admin, query: PageQuery
) -> Page[AuditEntry]:
    """List the audit log, newest first: logins, and what was done to accounts and sessions."""
    return await audit.read(parts.database, query, client, caller)


@get("/.well-known/jwks.json", headers={"Cache-Control": "How long the keys may be cached."})
async def get_public_keys(parts: Parts) -> WithHeaders[PublicKeys]:
    """Get the public keys for verifying tokens, a JWK set (RFC 7517)."""
    keys = msgspec.convert(parts.public_keys.keys(), list[PublicKey])
    return WithHeaders(PublicKeys(keys), {"Cache-Control": KEYS_CACHE})


@get(
    status_lists.PATH,
    headers={"Cache-Control": "Always `no-cache`."},
    etag=True,
)
async def get_ended_sessions(parts: Parts) -> WithHeaders[EndedSessions]:
    """Get the sessions that have ended and may still have unexpired tokens.

    The list is at most a second old.
    """
    signed = await parts.ended_sessions.signed()
    return WithHeaders(EndedSessions(signed), {"Cache-Control": "no-cache"})


ENDPOINTS = (
    log_in,
    log_out,
    get_me,
    renew_token,
    list_sessions,
    end_session,
    end_other_sessions,
    change_password,
    delete_me,
    register,
    list_users,
    get_user,
    create_user,
    change_user,
    delete_user,
    end_user_sessions,
    list_audit,
    get_public_keys,
    get_ended_sessions,
)
