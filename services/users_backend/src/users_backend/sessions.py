"""The rules of sessions: a session begins with a login, and its tokens are valid until it ends."""

import uuid
from dataclasses import dataclass

from mythoughts_chassis import audit
from mythoughts_chassis.clients import Client
from mythoughts_chassis.database import Connection
from mythoughts_chassis.pagination import Page, PageQuery
from mythoughts_chassis.problems import NotFound, Unauthorized
from mythoughts_chassis.tokens import Principal
from users_backend import queries, session_queries
from users_backend.parts import Parts
from users_backend.schemas import Session, User

MAX_USER_AGENT_CHARACTERS = 200


async def start(
    parts: Parts, client: Client, connection: Connection, *, user_id: int, password_hash: str
) -> str | None:
    """Start a session and return its first token; part of a transaction.

    Returns None if the user has been deleted or disabled, or has another password, since
    `password_hash` was read.
    """
    token_id = _new_token_id()
    grant = await session_queries.insert_session(
        connection,
        user_id=user_id,
        password_hash=password_hash,
        user_agent=client.user_agent[:MAX_USER_AGENT_CHARACTERS],
        token_id=token_id,
        lifetimes=parts.lifetimes,
    )
    if grant is None:
        return None
    await audit.record(connection, "login", client, actor=grant.username)
    return parts.signer.sign(grant, token_id)


async def renew(parts: Parts, caller: Principal) -> str:
    """Return a new token of the caller's session; raises `Unauthorized` if it is over."""
    token_id = _new_token_id()
    grant = await session_queries.renew_token(
        parts.database,
        session_id=caller.session_id,
        token_id=token_id,
        lifetimes=parts.lifetimes,
    )
    if grant is None:
        raise _over()
    return parts.signer.sign(grant, token_id)


@dataclass(frozen=True, slots=True)
class CurrentCaller(Principal):
    """A caller, and the user as they are now."""

    user: User


async def admit(parts: Parts, caller: Principal) -> CurrentCaller:
    """Return the caller with the name and the rights that they have now, as the endpoints' guard.

    An admin must be one both now and according to the token, whose life is shorter for admins.
    Raises `Unauthorized` if the session is over, or the user has been deleted or disabled.
    """
    user = await session_queries.find_current_user(
        parts.database, session_id=caller.session_id, user_id=caller.user_id
    )
    if user is None:
        raise _over()
    return CurrentCaller(
        user_id=caller.user_id,
        username=user.username,
        is_admin=caller.is_admin and user.is_admin,
        session_id=caller.session_id,
        issued_at=caller.issued_at,
        expires_at=caller.expires_at,
        user=user,
    )


async def find(parts: Parts, caller: Principal, query: PageQuery) -> Page[Session]:
    """Return the requested page of the caller's sessions, newest first."""
    rows = await session_queries.fetch_sessions(
        parts.database, query, user_id=caller.user_id, current_id=caller.session_id
    )
    return query.page(rows)


async def log_out(parts: Parts, client: Client, caller: Principal) -> None:
    """End the caller's session; raises `Unauthorized` if it has just ended."""
    if not await _end(parts, client, caller, caller.session_id, event="logout"):
        raise _over()


async def end_own(parts: Parts, client: Client, caller: Principal, session_id: int) -> None:
    """End one of the caller's sessions; raises `NotFound` if it is not theirs or has ended."""
    if not await _end(parts, client, caller, session_id, event="session ended"):
        raise NotFound("You have no session with this id.")


async def end_others(parts: Parts, client: Client, caller: Principal) -> None:
    """End all of the caller's sessions but the one that the request belongs to."""
    async with parts.database.transaction() as connection:
        await queries.lock_user(connection, caller.user_id)
        if await session_queries.end_sessions(
            connection, caller.user_id, except_id=caller.session_id
        ):
            await audit.record(connection, "sessions ended", client, actor=caller.username)


async def _end(
    parts: Parts, client: Client, caller: Principal, session_id: int, *, event: str
) -> bool:
    """End one of the caller's sessions; return False if it is not theirs or has ended."""
    subject = "" if session_id == caller.session_id else f"session {session_id}"
    async with parts.database.transaction() as connection:
        ended = await session_queries.end_session(connection, session_id, caller.user_id)
        if ended:
            await audit.record(connection, event, client, actor=caller.username, subject=subject)
    return ended


def _new_token_id() -> str:
    return uuid.uuid4().hex


def _over() -> Unauthorized:
    return Unauthorized("The session of this token is over. Log in again.", has_token=True)
