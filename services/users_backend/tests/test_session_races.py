"""Logins and changes of a password at the same time, on two connections to PostgreSQL."""

import asyncio
from collections.abc import Awaitable, Callable

import argon2
import asyncpg
import pytest

from mythoughts_chassis.database import Connection
from mythoughts_chassis.problems import Unauthorized
from mythoughts_chassis.settings import Secret
from mythoughts_chassis.tokens import Principal
from services.users_backend.tests.conftest import CLIENT, Opened
from testkit.roles import service_url
from testkit.users_sql import PASSWORD, Sql, hash_of
from users_backend import accounts, queries, session_queries, sessions, users
from users_backend.parts import Parts
from users_backend.schemas import Login, PasswordChange, UserChange

NEW_PASSWORD = "a much better one"


async def meanwhile(
    url: str, first: Callable[[Connection], Awaitable[None]], second: Awaitable[object]
) -> None:
    """Do `first` in a transaction that is not committed before `second` waits, or is done."""
    # As the service's role, which sees what its own connections wait for.
    connection, observer = [await asyncpg.connect(service_url(url)) for _ in range(2)]
    try:
        async with connection.transaction():
            await first(connection)
            other = asyncio.ensure_future(second)
            while not other.done() and not await _somebody_waits(observer):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await other
    finally:
        await connection.close()
        await observer.close()


async def _somebody_waits(observer: Connection) -> bool:
    waiting: bool = await observer.fetchval(
        "SELECT EXISTS (SELECT FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock')"
    )
    return waiting


def test_login_during_a_change_of_password_fails(
    sql: Sql, database_url: str, opened: Opened
) -> None:
    """A login with the old password that overtakes the change of it is refused."""
    user_id = sql.add_user("bruce")

    async def change(connection: Connection) -> None:
        await queries.replace_password_hash(
            connection, user_id, hash_of(PASSWORD), hash_of(NEW_PASSWORD)
        )
        await session_queries.end_sessions(connection, user_id)

    async def race() -> None:
        async with opened() as parts:
            await meanwhile(
                database_url, change, users.log_in(parts, CLIENT, Login("bruce", Secret(PASSWORD)))
            )

    with pytest.raises(Unauthorized):
        asyncio.run(race())

    assert sql.run("SELECT FROM sessions WHERE ended_at IS NULL") == []


def test_login_succeeds_while_another_process_renews_the_hash(
    sql: Sql, database_url: str, opened: Opened
) -> None:
    """A login does not fail because of another with the same password, which renews the hash."""
    outdated = argon2.PasswordHasher(1, 8192, 1).hash(PASSWORD)
    user_id = sql.add_user("bruce", password_hash=outdated)

    async def renew(connection: Connection) -> None:
        await queries.replace_password_hash(connection, user_id, outdated, hash_of(PASSWORD))

    async def race() -> None:
        async with opened() as parts:
            login = users.log_in(parts, CLIENT, Login("bruce", Secret(PASSWORD)))
            await meanwhile(database_url, renew, login)

    asyncio.run(race())

    assert sql.value("SELECT count(*) FROM sessions") == 1
    assert sql.hash_of_user("bruce") == hash_of(PASSWORD)


def principal_of(user_id: int, session_id: int) -> Principal:
    """The caller with a token of this session of bruce."""
    return Principal(
        user_id, "bruce", is_admin=False, session_id=session_id, issued_at=0, expires_at=2**40
    )


def test_password_is_changed_while_a_login_renews_the_hash(
    sql: Sql, database_url: str, opened: Opened
) -> None:
    """A change of the password does not fail because a login has just renewed the hash."""
    outdated = argon2.PasswordHasher(1, 8192, 1).hash(PASSWORD)
    user_id = sql.add_user("bruce", password_hash=outdated)
    caller = principal_of(user_id, sql.add_session(user_id))

    async def renew(connection: Connection) -> None:
        await queries.replace_password_hash(connection, user_id, outdated, hash_of(PASSWORD))

    async def race() -> None:
        async with opened() as parts:
            change = PasswordChange(Secret(PASSWORD), Secret(NEW_PASSWORD))
            await meanwhile(
                database_url, renew, users.change_password(parts, CLIENT, caller, change)
            )
            await users.log_in(parts, CLIENT, Login("bruce", Secret(NEW_PASSWORD)))

    asyncio.run(race())

    assert sql.audited() == [("password changed", "bruce", ""), ("login", "bruce", "")]


NEW_PASSWORDS: dict[str, Callable[[Parts, Principal], Awaitable[object]]] = {
    "login": lambda parts, _: users.log_in(
        parts, CLIENT, Login("bruce", Secret(PASSWORD), Secret(NEW_PASSWORD))
    ),
    "change": lambda parts, bruce: users.change_password(
        parts, CLIENT, bruce, PasswordChange(Secret(PASSWORD), Secret(NEW_PASSWORD))
    ),
}


@pytest.mark.security
@pytest.mark.parametrize("replace", NEW_PASSWORDS.values(), ids=NEW_PASSWORDS)
def test_user_who_is_being_disabled_gets_no_new_password(
    sql: Sql,
    database_url: str,
    opened: Opened,
    replace: Callable[[Parts, Principal], Awaitable[object]],
) -> None:
    """A request that an admin overtakes by disabling the user fails and changes nothing."""
    user_id = sql.add_user("bruce")
    caller = principal_of(user_id, sql.add_session(user_id))

    async def disable(connection: Connection) -> None:
        await accounts.apply_change(connection, CLIENT, "admin", user_id, is_disabled=True)

    async def race() -> None:
        async with opened() as parts:
            await meanwhile(database_url, disable, replace(parts, caller))

    with pytest.raises(Unauthorized):
        asyncio.run(race())

    assert sql.hash_of_user("bruce") == hash_of(PASSWORD)
    assert "password changed" not in [event for event, *_ in sql.audited()]


End = Callable[[Parts, Principal], Awaitable[object]]
ENDS: dict[str, End] = {
    "change of the password": lambda parts, bruce: users.change_password(
        parts, CLIENT, bruce, PasswordChange(Secret(PASSWORD), Secret(NEW_PASSWORD))
    ),
    "end of all others": lambda parts, bruce: sessions.end_others(parts, CLIENT, bruce),
    "end by an admin": lambda parts, bruce: accounts.end_sessions(
        parts, CLIENT, bruce, bruce.user_id
    ),
    "disabling": lambda parts, bruce: accounts.change(
        parts, CLIENT, bruce, bruce.user_id, UserChange(is_disabled=True)
    ),
    "deletion": lambda parts, bruce: accounts.delete(parts, CLIENT, bruce, bruce.user_id),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_session_of_a_login_in_progress_ends_too(
    sql: Sql, database_url: str, opened: Opened, end: End
) -> None:
    """Everything that ends sessions also ends one that a login has just started."""
    user_id = sql.add_user("bruce")
    caller = principal_of(user_id, sql.add_session(user_id))

    async def race() -> None:
        async with opened() as parts:

            async def log_in(connection: Connection) -> None:
                assert await sessions.start(
                    parts, CLIENT, connection, user_id=user_id, password_hash=hash_of(PASSWORD)
                )

            await meanwhile(database_url, log_in, end(parts, caller))

    asyncio.run(race())

    live = sql.run("SELECT id FROM sessions WHERE ended_at IS NULL")
    assert {row["id"] for row in live} <= {caller.session_id}
