"""The rules of sessions: a session begins with a login, and its tokens are valid until it ends."""

import uuid
from dataclasses import dataclass

from mythoughts_chassis import audit
from mythoughts_chassis.clients import Client
from mythoughts_chassis.database import Connection, Database
from mythoughts_chassis.pagination import Page, PageQuery
from mythoughts_chassis.problems import NotFound, Unauthorized
from mythoughts_chassis.tokens import Principal
from users_backend import session_queries
from users_backend.schemas import Session, User
from users_backend.session_queries import Lifetimes
from users_backend.signing import TokenSigner

MAX_USER_AGENT_CHARACTERS = 200


async def start(
    connection: Connection,
    signer: TokenSigner,
    lifetimes: Lifetimes,
    client: Client,
    *,
    user_id: int,
    password_hash: str,
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
        lifetimes=lifetimes,
    )
    if grant is None:
        return None
    await audit.record(connection, "login", client, actor=grant.username)
    return signer.sign(grant, token_id)


async def renew(
    database: Database, signer: TokenSigner, lifetimes: Lifetimes, caller: Principal
) -> str:
    """Return a new token of the caller's session; raises `Unauthorized` if it is over."""
    token_id = _new_token_id()
    grant = await session_queries.renew_token(
        database, session_id=caller.session_id, token_id=token_id, lifetimes=lifetimes
    )
    if grant is None:
        raise _over()
    return signer.sign(grant, token_id)


@dataclass(frozen=True, slots=True)
class CurrentCaller(Principal):
    """A caller, and the user as they are now."""

    user: User


async def admit(database: Database, caller: Principal) -> CurrentCaller:
    """Return the caller with the name and the rights that they have now.

    An admin must be one both now and according to the token, whose life is shorter for admins.
    Raises `Unauthorized` if the session is over, or the user has been deleted or disabled.
    """
    user = await session_queries.find_current_user(
        database, session_id=caller.session_id, user_id=caller.user_id
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


async def find(database: Database, caller: Principal, query: PageQuery) -> Page[Session]:
    """Return the requested page of the caller's sessions, newest first."""
    rows = await session_queries.fetch_sessions(
        database,
        caller.user_id,
        current_id=caller.session_id,
        above=query.above,
        below=query.below,
        ascending=query.ascending,
        limit=query.limit + 1,
    )
    return query.page(rows)


async def log_out(database: Database, caller: Principal, client: Client) -> None:
    """End the caller's session; raises `Unauthorized` if it has just ended."""
    if not await _end(database, caller, caller.session_id, client, event="logout"):
        raise _over()


async def end_own(database: Database, caller: Principal, session_id: int, client: Client) -> None:
    """End one of the caller's sessions; raises `NotFound` if it is not theirs or has ended."""
    if not await _end(database, caller, session_id, client, event="session ended"):
        raise NotFound("You have no session with this id.")


async def end_others(database: Database, caller: Principal, client: Client) -> None:
    """End all of the caller's sessions but the one that the request belongs to."""

    async def work(connection: Connection) -> None:
        async with connection.transaction():
            await end_sessions(connection, caller.user_id, caller.session_id)
            await audit.record(connection, "sessions ended", client, actor=caller.username)

    await database.run(work, repeatable=False)


async def end_sessions(
    connection: Connection, user_id: int, except_session_id: int | None = None
) -> None:
    """End all sessions of a user, or all but one; part of the transaction that is the reason.

    The user's row stays locked until the end of the transaction.
    """
    await session_queries.lock_user(connection, user_id)
    await session_queries.end_sessions(connection, user_id, except_session_id)


async def _end(
    database: Database, caller: Principal, session_id: int, client: Client, *, event: str
) -> bool:
    """End one of the caller's sessions; return False if it is not theirs or has ended."""
    subject = "" if session_id == caller.session_id else f"session {session_id}"

    async def work(connection: Connection) -> bool:
        async with connection.transaction():
            ended = await session_queries.end_session(connection, session_id, caller.user_id)
            if ended:
                await audit.record(
                    connection, event, client, actor=caller.username, subject=subject
                )
            return ended

    return await database.run(work, repeatable=False)


def _new_token_id() -> str:
    return uuid.uuid4().hex


def _over() -> Unauthorized:
    return Unauthorized(
        "The session of this token is over. Log in again.",
        challenge='Bearer error="invalid_token"',
    )
