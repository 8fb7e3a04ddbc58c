"""How many passwords can be guessed: the figures in docs/operations/limits.md.

Time passes by moving what the database remembers into the past, so nothing here waits.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import count

import pytest

from mythoughts_chassis.clients import Client
from mythoughts_chassis.problems import TooManyRequests
from services.users_backend.tests.conftest import CLIENT, Opened
from testkit.users_sql import Sql
from users_backend.guesses import Attempt, Guesses
from users_backend.parts import Parts
from users_backend.queries import DELETE_FORGOTTEN_GUESSES

pytestmark = [pytest.mark.security, pytest.mark.usefixtures("sql")]

MINUTE, HOUR, DAY = 60, 3600, 86_400

Guess = Callable[[Parts], Awaitable[Attempt]]


def from_address(number: int) -> Client:
    """A client with an address of its own."""
    return Client(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", "tests", "request")


def attackers_of(name: str, addresses: int) -> list[Callable[[], Guess]]:
    """Strangers who guess the password of one name, each from an address of its own."""
    guesses = [guess_at(name, from_address(number)) for number in range(addresses)]
    return [lambda guess=guess: guess for guess in guesses]  # type: ignore[misc]


def guess_at(name: str, client: Client = CLIENT) -> Guess:
    """A stranger's guess at the password of one name."""
    return lambda parts: parts.guesses.admit_stranger(client, name)


class Attack:
    """Guesses as fast as the limits let it; `times` says when each guess was made, in seconds."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.now = 0.0
        self.times: list[float] = []

    def guessed_within(self, seconds: float, *, since: float = 0) -> int:
        """The number of guesses in that time."""
        return sum(since <= time < since + seconds for time in self.times)

    async def run(self, attackers: Sequence[Callable[[], Guess]], seconds: float) -> None:
        """Let each attacker guess whenever it may, for this long."""
        end, due = self.now + seconds, dict.fromkeys(range(len(attackers)), self.now)
        while (now := min(due.values())) < end:
            await self.pass_time(now - self.now)
            for attacker in [number for number, time in due.items() if time <= now]:
                due[attacker] = now + await self._guess(attackers[attacker]())

    async def _guess(self, guess: Guess) -> float:
        try:
            attempt = await guess(self._parts)
        except TooManyRequests as limit:
            return limit.retry_after_seconds
        await self._parts.database.run(attempt.fail, repeatable=False)
        self.times.append(self.now)
        return 0

    async def pass_time(self, seconds: float) -> None:
        """Move what the database remembers into the past."""
        self.now += seconds
        await self._parts.database.execute(
            "UPDATE guesses SET forgotten_at = forgotten_at - make_interval(secs => $1), "
            "waits_until = waits_until - make_interval(secs => $1)",
            seconds,
            repeatable=False,
        )


def attack(opened: Opened, attackers: Sequence[Callable[[], Guess]], seconds: float) -> Attack:
    """Attack for so long, and return what came of it."""

    async def run() -> Attack:
        async with opened() as parts:
            attack = Attack(parts)
            await attack.run(attackers, seconds)
            return attack

    return asyncio.run(run())


def test_one_name_from_one_address(opened: Opened) -> None:
    """7 guesses in the first minute, 10 in ten minutes, then one every ten minutes."""
    attacked = attack(opened, [lambda: guess_at("bruce")], DAY)

    assert attacked.guessed_within(MINUTE) == 7
    assert attacked.guessed_within(10 * MINUTE) == 10
    assert 120 <= attacked.guessed_within(DAY) <= 155


def test_many_names_from_one_address(opened: Opened) -> None:
    """22 guesses in the first minute, then one a minute."""
    names = (f"user {number}" for number in count())
    attacked = attack(opened, [lambda: guess_at(next(names))], 2 * HOUR)

    assert attacked.guessed_within(MINUTE) == 22
    assert 45 <= attacked.guessed_within(HOUR, since=HOUR) <= 62


def test_one_name_from_1000_addresses(opened: Opened) -> None:
    """About 1,050 guesses in the first minute, then 67 a minute."""
    attacked = attack(opened, attackers_of("bruce", 1000), 16 * MINUTE)

    assert 1000 <= attacked.guessed_within(MINUTE) <= 1100
    assert 950 <= attacked.guessed_within(15 * MINUTE, since=MINUTE) <= 15 * 67


@pytest.mark.parametrize(
    "guess",
    [
        lambda parts: parts.guesses.admit_browser("token"),
        lambda parts: parts.guesses.admit_session(1),
    ],
    ids=["browser", "session"],
)
def test_a_browser_and_a_session(opened: Opened, guess: Guess) -> None:
    """A browser that is known, and a session, guess no faster than an address."""
    attacked = attack(opened, [lambda: guess], HOUR)

    assert attacked.guessed_within(MINUTE) == 7
    assert attacked.guessed_within(HOUR) <= 17


def test_registrations_from_one_address(opened: Opened) -> None:
    """12 registrations in the first minute, then ten an hour."""

    async def register() -> tuple[int, int]:
        async with opened() as parts:
            attack = Attack(parts)
            times = []
            while attack.now < 3 * HOUR:
                try:
                    await parts.guesses.count_registration(CLIENT)
                    times.append(attack.now)
                except TooManyRequests as limit:
                    await attack.pass_time(limit.retry_after_seconds)
        return sum(t < MINUTE for t in times), sum(t >= 2 * HOUR for t in times)

    first_minute, third_hour = asyncio.run(register())

    assert first_minute == 12
    assert 6 <= third_hour <= 12


def test_right_passwords_of_one_account(opened: Opened) -> None:
    """1,000 without a wait, then one every 43 s or so: about 2,000 a day."""

    async def use() -> tuple[float, float]:
        async with opened() as parts:
            attack = Attack(parts)
            while True:
                try:
                    await parts.guesses.count_right_password(1)
                    attack.times.append(attack.now)
                except TooManyRequests as limit:
                    if attack.now > 6 * HOUR:
                        break
                    await attack.pass_time(limit.retry_after_seconds)
            return attack.times.index(10), len(attack.times) - 1000

    at_once, within_six_hours = asyncio.run(use())

    assert at_once == 1000
    assert 450 <= within_six_hours <= 515


def test_five_mistakes_make_wait_ten_seconds(opened: Opened) -> None:
    """A user who mistypes five times waits 10 s, and 20 s after the sixth time."""
    attacked = attack(opened, [lambda: guess_at("bruce")], 31)

    assert [round(time) for time in attacked.times] == [0, 0, 0, 0, 0, 10, 30]


def test_mistakes_are_forgotten_with_time(opened: Opened) -> None:
    """An hour later five more mistakes are free."""

    async def run() -> list[float]:
        async with opened() as parts:
            attack = Attack(parts)
            await attack.run([lambda: guess_at("bruce")], 1)
            await attack.pass_time(HOUR)
            started = len(attack.times)
            await attack.run([lambda: guess_at("bruce")], 1)
            return attack.times[started:]

    assert len(asyncio.run(run())) == 5


def test_address_that_was_not_wrong_is_let_in_during_an_attack(opened: Opened) -> None:
    """Wrong guesses from 200 addresses keep out no address that has made none."""

    async def run() -> None:
        async with opened() as parts:
            await Attack(parts).run(attackers_of("bruce", 200), 2)
            await parts.guesses.admit_stranger(CLIENT, "bruce")

    asyncio.run(run())


def test_attack_on_a_name_is_forgotten_after_75_minutes(opened: Opened) -> None:
    """However many guesses were wrong, the first mistake after that costs no wait."""

    async def run() -> None:
        async with opened() as parts:
            attack = Attack(parts)
            await attack.run(attackers_of("bruce", 200), 1)
            await attack.pass_time(75 * MINUTE)
            mistake = await parts.guesses.admit_stranger(CLIENT, "bruce")
            await parts.database.run(mistake.fail, repeatable=False)
            await parts.guesses.admit_stranger(CLIENT, "bruce")

    asyncio.run(run())


def test_purge_removes_what_is_forgotten(opened: Opened, sql: Sql) -> None:
    """Counts are deleted once they no longer matter, and not before."""
    attack(opened, [lambda: guess_at("bruce")], 1)

    async def pass_time(seconds: float) -> None:
        async with opened() as parts:
            await Attack(parts).pass_time(seconds)
            await parts.database.execute(DELETE_FORGOTTEN_GUESSES, repeatable=True)

    asyncio.run(pass_time(5 * MINUTE + 1))
    # Of the address and the name all five are forgotten, of both together none.
    assert sql.value("SELECT count(*) FROM guesses") == 1
    asyncio.run(pass_time(HOUR))
    assert sql.value("SELECT count(*) FROM guesses") == 0


def test_table_does_not_say_what_was_typed(opened: Opened, sql: Sql) -> None:
    """The keys are 16 bytes that cannot be computed without the private keys."""

    def guess_elsewhere(parts: Parts) -> Awaitable[Attempt]:
        elsewhere = Guesses(parts.database, lambda: b"other private keys")
        return elsewhere.admit_stranger(CLIENT, "my secret password")

    attack(opened, [lambda: guess_at("my secret password")], 1)
    attack(opened, [lambda: guess_elsewhere], 1)

    keys = [row["key"] for row in sql.run("SELECT key FROM guesses")]
    assert {len(key) for key in keys} == {16}
    assert len(set(keys)) == 2 * 3
