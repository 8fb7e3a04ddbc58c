"""Creating, changing and deleting accounts.

A change and its entries in the audit log are one transaction, which also ends the user's sessions
if it takes something away. Anything that could leave no admin locks all admins first, so if two
admins demote each other at the same time, one is refused.
"""

from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from mythoughts_chassis import audit
from mythoughts_chassis.clients import Client
from mythoughts_chassis.database import Connection, Database
from mythoughts_chassis.pagination import Page
from mythoughts_chassis.problems import Conflict, NotFound
from mythoughts_chassis.settings import Secret
from mythoughts_chassis.tokens import Principal
from users_backend import queries, session_queries, users
from users_backend.parts import Parts
from users_backend.schemas import Deletion, NewUser, User, UserChange, UsersQuery
from users_backend.turns import Line


async def find(database: Database, query: UsersQuery) -> Page[User]:
    """Return the requested page of users, newest first."""
    return query.page(await queries.fetch_users(database, query))


async def find_for_admin(
    database: Database, query: UsersQuery, client: Client, admin: Principal
) -> Page[User]:
    """Return what `find` returns, and record who has looked for what."""
    page = await find(database, query)
    await audit.record(database, "users listed", client, actor=admin.username, subject=query.search)
    return page


async def get_for_admin(database: Database, user_id: int, client: Client, admin: Principal) -> User:
    """Return a user, and record who has looked; raises `NotFound`."""
    user = await queries.find_user(database, user_id)
    if user is None:
        raise _unknown()
    await audit.record(database, "user read", client, actor=admin.username, subject=user.username)
    return user


async def register(parts: Parts, client: Client, new_user: NewUser) -> User:
    """Store a user who registers; raises what `store` and `hash_new` raise, `TooManyRequests`."""
    await parts.guesses.count_registration(client)
    async with parts.passwords.turn(Line.REGISTRATIONS, client) as hasher:
        password_hash = await hasher.hash_new(new_user.password, new_user.username)
    return await store(parts.database, client, new_user, password_hash)


async def create(parts: Parts, client: Client, admin: Principal, new_user: NewUser) -> User:
    """Store a user with a temporary password, which an admin has chosen; raises as `register`."""
    password_hash = await _hash(parts, client, new_user.password, new_user.username)
    return await store(
        parts.database,
        client,
        new_user,
        password_hash,
        creator=admin.username,
        must_change_password=True,
    )


async def store(
    database: Database,
    client: Client,
    new_user: NewUser,
    password_hash: str,
    *,
    creator: str | None = None,
    is_admin: bool = False,
    must_change_password: bool = False,
) -> User:
    """Store a user, created by `creator` or, without one, by themselves, and return it.

    Raises `Conflict` if the name is taken or looks like a taken one; names of deleted users stay
    taken.
    """
    try:
        async with database.transaction() as connection:
            user = await queries.insert_user(
                connection,
                new_user.username,
                password_hash,
                is_admin=is_admin,
                must_change_password=must_change_password,
            )
            if creator is None:
                await audit.record(connection, "user registered", client, actor=user.username)
            else:
                await audit.record(
                    connection, "user created", client, actor=creator, subject=user.username
                )
            return user
    except queries.LookAlike:
        raise Conflict("This name looks too much like one that is taken.") from None
    except queries.NameTaken:
        raise Conflict("This name is taken.") from None


async def change(
    parts: Parts, client: Client, admin: Principal, user_id: int, wanted: UserChange
) -> User:
    """Change a user's rights or password, end their sessions, and return the user.

    Raises `NotFound`, `BadInput` if the password is easy to guess, `TooManyRequests`, and
    `Conflict` if no admin would be left.
    """
    user = await queries.find_user(parts.database, user_id)
    if user is None:
        raise _unknown()
    password_hash = None
    if isinstance(wanted.password, Secret):
        password_hash = await _hash(parts, client, wanted.password, user.username)
    async with parts.database.transaction() as connection:
        is_last = await _is_last_admin(parts, connection, user_id)
        return await apply_change(
            connection,
            client,
            admin.username,
            user_id,
            password_hash,
            is_last_admin=is_last,
            **_rights(wanted),
        )


async def apply_change(
    connection: Connection,
    client: Client,
    actor: str,
    user_id: int,
    password_hash: str | None = None,
    *,
    is_last_admin: bool = False,
    **rights: bool,
) -> User:
    """Change what is given and return the user; part of a transaction.

    `rights` are `is_admin` and `is_disabled`. A new hash is that of a temporary password.
    Raises `NotFound`, and `Conflict` if the last admin would no longer be one.
    """
    before = await queries.lock_user(connection, user_id)
    if before is None:
        raise _unknown()
    after = replace(before, **rights)
    if is_last_admin and (after.is_disabled or not after.is_admin):
        raise _last_admin()
    events = _events(before, after, is_reset=password_hash is not None)
    if events:
        await queries.update_user(
            connection,
            user_id,
            is_admin=after.is_admin,
            is_disabled=after.is_disabled,
            password_hash=password_hash,
        )
        await session_queries.end_sessions(connection, user_id)
    for event in events:
        await audit.record(connection, event, client, actor=actor, subject=after.username)
    return after


async def end_sessions(parts: Parts, client: Client, admin: Principal, user_id: int) -> None:
    """End all sessions of a user; raises `NotFound`."""
    async with parts.database.transaction() as connection:
        user = await queries.lock_user(connection, user_id)
        if user is None:
            raise _unknown()
        if await session_queries.end_sessions(connection, user_id):
            await audit.record(
                connection, "sessions ended", client, actor=admin.username, subject=user.username
            )


async def delete(
    parts: Parts, client: Client, actor: Principal, user_id: int, *, is_dry: bool = False
) -> None:
    """Delete a user, if it exists, and end their sessions; the name is never reused.

    Raises `Conflict` for the last admin; if `is_dry`, nothing is deleted.
    """
    async with parts.database.transaction() as connection:
        if await _is_last_admin(parts, connection, user_id):
            raise _last_admin()
        name = None if is_dry else await queries.delete_user(connection, user_id)
        if name is not None:
            await session_queries.end_sessions(connection, user_id)
            await audit.record(
                connection, "user deleted", client, actor=actor.username, subject=name
            )


async def delete_own(parts: Parts, client: Client, caller: Principal, deletion: Deletion) -> None:
    """Delete the caller, unless it is only to be checked whether that is possible.

    Raises `Forbidden` if the password is wrong, `Conflict` for the last admin, and
    `TooManyRequests`.
    """
    async with parts.passwords.turn(Line.ACCOUNTS, client) as hasher:
        await users.check_own_password(parts, client, hasher, caller, deletion.password)
    await delete(parts, client, caller, caller.user_id, is_dry=deletion.dry_run)


async def _is_last_admin(parts: Parts, connection: Connection, user_id: int) -> bool:
    """Whether this is the only admin who can log in; stays so until the transaction ends."""
    admins = await queries.lock_admins(connection)
    seconds = parts.temporary_password_seconds
    return [a.user_id for a in admins if not a.has_expired(seconds)] == [user_id]


async def _hash(parts: Parts, client: Client, password: Secret, username: str) -> str:
    async with parts.passwords.turn(Line.ACCOUNTS, client) as hasher:
        return await hasher.hash_new(password, username)


def _rights(wanted: UserChange) -> dict[str, bool]:
    given: dict[str, Any] = {"is_admin": wanted.is_admin, "is_disabled": wanted.is_disabled}
    return {name: value for name, value in given.items() if value is not UNSET}


def _events(before: User, after: User, *, is_reset: bool) -> list[str]:
    happened = {
        "admin made": after.is_admin and not before.is_admin,
        "admin unmade": before.is_admin and not after.is_admin,
        "user disabled": after.is_disabled and not before.is_disabled,
        "user enabled": before.is_disabled and not after.is_disabled,
        "password reset": is_reset,
    }
    return [event for event, is_true in happened.items() if is_true]


def _unknown() -> NotFound:
    return NotFound("There is no user with this id.")


def _last_admin() -> Conflict:
    return Conflict("This is the last admin who can log in. Make somebody else an admin first.")
