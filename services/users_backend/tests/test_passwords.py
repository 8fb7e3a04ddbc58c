"""Hashing, and the cost of a login."""

import asyncio
import threading

import argon2
import pytest

from mythoughts_chassis.problems import Unauthorized
from mythoughts_chassis.settings import Secret
from mythoughts_chassis.tokens import Principal
from services.users_backend.tests.conftest import CLIENT, Opened
from testkit.users_sql import PASSWORD, Sql, hash_of
from testkit.waiting import WAIT_SECONDS
from testkit.waiting_clients import WaitingClient
from users_backend import queries, turns, users
from users_backend.passwords import PasswordHasher
from users_backend.schemas import LoggedIn, Login, PasswordChange
from users_backend.turns import PLACES_PER_NETWORK, Line


class ObservedHasher(PasswordHasher):
    """Counts hashes, and can be held up."""

    def __init__(self) -> None:
        super().__init__()
        self.verified = 0
        self.hashed = 0
        self.at_once = 0
        self.most_at_once = 0
        self.begun = threading.Event()
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    async def hash(self, password: str) -> str:
        """Hash the password, and count it."""
        self.hashed += 1
        return await super().hash(password)

    def _verify_now(self, password: str, password_hash: str) -> bool:
        self.verified += 1
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        self.begun.set()
        self.may_go_on.wait()
        verified = super()._verify_now(password, password_hash)
        self.at_once -= 1
        return verified


@pytest.fixture(autouse=True)
def _busy_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let requests wait for their turns longer than on a machine that has time for them."""
    monkeypatch.setattr(turns, "WAIT_SECONDS", WAIT_SECONDS)


@pytest.fixture
def hasher() -> ObservedHasher:
    """A hasher that counts."""
    return ObservedHasher()


@pytest.mark.parametrize(
    ("username", "password"),
    [("bruce", "wrong"), ("nobody", PASSWORD), ("gone", PASSWORD), ("gone", "wrong")],
)
def test_every_failed_login_verifies_one_hash(
    sql: Sql, opened: Opened, username: str, password: str
) -> None:
    """A wrong name costs as much as a wrong password: one argon2id verification."""
    sql.add_user("bruce")
    sql.add_user("gone")
    sql.run("UPDATE users SET deleted_at = now(), password_hash = NULL WHERE username = 'gone'")
    hasher = ObservedHasher()

    with pytest.raises(Unauthorized):
        asyncio.run(log_in(opened, hasher, username, password))

    assert (hasher.verified, hasher.hashed) == (1, 0)


async def log_in(opened: Opened, hasher: PasswordHasher, username: str, password: str) -> None:
    """Log in as a request does."""
    async with opened(hasher) as parts:
        await users.log_in(parts, CLIENT, Login(username, Secret(password)))


@pytest.mark.parametrize(("time_cost", "memory_kib"), [(1, 8192), (2, 8192), (3, 19456)])
def test_hash_with_other_parameters_is_replaced_at_login(
    sql: Sql, opened: Opened, time_cost: int, memory_kib: int
) -> None:
    """A login replaces a hash of different strength, and the password stays valid."""
    old = argon2.PasswordHasher(time_cost, memory_kib, 1).hash(PASSWORD)
    sql.add_user("bruce", password_hash=old)

    asyncio.run(log_in(opened, PasswordHasher(), "bruce", PASSWORD))

    new = sql.hash_of_user("bruce")
    assert new is not None
    assert new.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert asyncio.run(PasswordHasher().verify(PASSWORD, new))


def test_logins_at_once_with_an_outdated_hash_all_succeed(sql: Sql, opened: Opened) -> None:
    """One of several simultaneous logins replaces the hash, which keeps out no other."""
    sql.add_user("bruce", password_hash=argon2.PasswordHasher(1, 8192, 1).hash(PASSWORD))

    outcomes = asyncio.run(log_in_at_once(opened, 3 * [Login("bruce", Secret(PASSWORD))]))

    assert [type(outcome) for outcome in outcomes] == 3 * [LoggedIn]


async def log_in_at_once(
    opened: Opened, logins: list[Login], device_token: str = ""
) -> list[LoggedIn | BaseException]:
    """Log in several times; all wait for their turns, or are refused, before the first has one."""
    async with opened() as parts:
        # Open the connections: otherwise each login would take longer than the one before it.
        await asyncio.gather(*(queries.fold_name(parts.database, "bruce") for _ in logins))
        async with parts.passwords.turn(Line.LOGINS, CLIENT):
            tasks = []
            for login in logins:
                client = WaitingClient()
                tasks.append(
                    asyncio.create_task(users.log_in(parts, client.client, login, device_token))
                )
                waits = asyncio.create_task(client.waits.wait())
                await asyncio.wait({tasks[-1], waits}, return_when=asyncio.FIRST_COMPLETED)
                waits.cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.security
def test_token_of_a_browser_crowds_no_line_with_logins_of_others(sql: Sql, opened: Opened) -> None:
    """Logins as somebody else with it wait with those of strangers, those of its user do not."""
    sql.add_user("bruce")
    bruce = Login("bruce", Secret(PASSWORD))
    (known,) = asyncio.run(log_in_at_once(opened, [bruce]))
    assert isinstance(known, LoggedIn)
    assert isinstance(known.device_token, str)
    others = PLACES_PER_NETWORK * [Login("nobody", Secret("wrong"))]

    outcomes = asyncio.run(log_in_at_once(opened, [*others, bruce], known.device_token))

    assert type(outcomes[-1]) is LoggedIn


def test_failed_login_leaves_an_old_hash(sql: Sql, opened: Opened) -> None:
    """A wrong password never replaces a hash."""
    old = argon2.PasswordHasher(1, 8192, 1).hash(PASSWORD)
    sql.add_user("bruce", password_hash=old)

    with pytest.raises(Unauthorized):
        asyncio.run(log_in(opened, PasswordHasher(), "bruce", "wrong"))

    assert sql.hash_of_user("bruce") == old


def test_current_hash_is_left_alone_at_login(sql: Sql, opened: Opened) -> None:
    """A login with a hash of the current strength creates no new hash."""
    sql.add_user("bruce")
    hasher = ObservedHasher()

    asyncio.run(log_in(opened, hasher, "bruce", PASSWORD))

    assert hasher.hashed == 0
    assert sql.hash_of_user("bruce") == hash_of(PASSWORD)


def test_password_changed_meanwhile_is_not_overwritten(sql: Sql, opened: Opened) -> None:
    """Of two simultaneous changes of one password, the second is forbidden."""
    user_id = sql.add_user("bruce")
    new_passwords = [Secret("the first one"), Secret("the second")]
    changes = [PasswordChange(Secret(PASSWORD), password) for password in new_passwords]

    outcomes = asyncio.run(change_at_once(opened, user_id, changes))

    assert sorted(map(repr, outcomes)) == ["Forbidden('The current password is wrong.')", "None"]


async def change_at_once(
    opened: Opened, user_id: int, changes: list[PasswordChange]
) -> list[BaseException | None]:
    """Make changes that all wait for their turns before the first has one."""
    caller = principal_of(user_id)
    clients = [WaitingClient() for _ in changes]
    async with opened(PasswordHasher()) as parts:
        async with parts.passwords.turn(Line.ACCOUNTS, CLIENT):
            tasks = [
                asyncio.create_task(users.change_password(parts, client.client, caller, change))
                for client, change in zip(clients, changes, strict=True)
            ]
            for client in clients:
                await client.waits.wait()
        return await asyncio.gather(*tasks, return_exceptions=True)


def principal_of(user_id: int) -> Principal:
    """The caller with a token of bruce."""
    return Principal(user_id, "bruce", is_admin=False, session_id=1, issued_at=0, expires_at=2**40)


def test_change_of_password_takes_one_turn(sql: Sql, opened: Opened) -> None:
    """The new password is hashed in the turn in which the present one is checked: one wait."""
    user_id = sql.add_user("bruce")

    asyncio.run(change_before_a_long_turn(opened, user_id))

    assert sql.hash_of_user("bruce") != hash_of(PASSWORD)


async def change_before_a_long_turn(opened: Opened, user_id: int) -> None:
    """Change a password while the next turn is taken until the change is done."""
    changing, next_one = WaitingClient(), WaitingClient()
    async with opened() as parts:
        turn = parts.passwords.turn

        async def wait_in_turn(change: asyncio.Task[None]) -> None:
            async with turn(Line.ACCOUNTS, next_one.client):
                await change

        async with turn(Line.ACCOUNTS, CLIENT):
            change = asyncio.create_task(
                users.change_password(
                    parts,
                    changing.client,
                    principal_of(user_id),
                    PasswordChange(Secret(PASSWORD), Secret("a much better one")),
                )
            )
            await changing.waits.wait()
            following = asyncio.create_task(wait_in_turn(change))
            await next_one.waits.wait()
        await following


async def test_one_hash_at_a_time(hasher: ObservedHasher) -> None:
    """Whatever arrives at once, only one hash is in progress."""
    await asyncio.gather(*(hasher.verify("x", None) for _ in range(6)))

    assert (hasher.verified, hasher.most_at_once) == (6, 1)


async def test_event_loop_continues_while_a_hash_is_made(hasher: ObservedHasher) -> None:
    """Other requests are served while a password is verified."""
    hasher.may_go_on.clear()
    verification = asyncio.create_task(hasher.verify("x", None))
    await asyncio.to_thread(hasher.begun.wait)

    served = await asyncio.sleep(0, "served")

    assert (served, verification.done()) == ("served", False)
    hasher.may_go_on.set()
    await verification


async def test_cancelled_hash_keeps_its_turn_until_it_is_done(hasher: ObservedHasher) -> None:
    """A cancelled request does not cause two hashes to run at once."""
    hasher.may_go_on.clear()
    given_up = asyncio.create_task(hasher.verify("x", None))
    await asyncio.to_thread(hasher.begun.wait)
    given_up.cancel()
    following = asyncio.create_task(hasher.verify("x", None))
    with pytest.raises(asyncio.CancelledError):
        await given_up

    begun_beside = hasher.verified
    hasher.may_go_on.set()
    await following

    assert (begun_beside, hasher.verified, hasher.most_at_once) == (1, 2, 1)


async def test_cancelled_hash_that_has_not_begun_is_dropped(hasher: ObservedHasher) -> None:
    """Requests cancelled while waiting cost no hash."""
    hasher.may_go_on.clear()
    first = asyncio.create_task(hasher.verify("x", None))
    await asyncio.to_thread(hasher.begun.wait)
    waiting = [asyncio.create_task(hasher.verify("x", None)) for _ in range(5)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)

    hasher.may_go_on.set()
    await first
    await hasher.verify("x", None)

    assert hasher.verified == 2


async def test_same_password_has_another_hash_each_time(hasher: ObservedHasher) -> None:
    """Hashes are salted."""
    assert await hasher.hash("same") != await hasher.hash("same")
