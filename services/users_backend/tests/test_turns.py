"""Turns to compute a hash: shared out fairly, in a short queue."""

import asyncio

import pytest
from starlette.requests import ClientDisconnect

from mythoughts_chassis.problems import TooManyRequests
from services.users_backend.tests.conftest import CLIENT
from testkit.waiting import WAIT_SECONDS
from testkit.waiting_clients import WaitingClient
from users_backend import turns
from users_backend.turns import PLACES, PLACES_PER_NETWORK, Line, Turns

pytestmark = pytest.mark.security


@pytest.fixture(autouse=True)
def _busy_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody be refused only because the machine is slow, nor a test end by that."""
    monkeypatch.setattr(turns, "WAIT_SECONDS", 10 * WAIT_SECONDS)


class Busy:
    """Turns of which one is taken until `finish`; `served` says who has had one since."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.served: list[str] = []
        self._may_end = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._first = asyncio.create_task(self._hold())

    async def _hold(self) -> None:
        async with self.turns.turn(Line.LOGINS, WaitingClient().client):
            await self._may_end.wait()

    async def ask(
        self, name: str, line: Line = Line.LOGINS, address: str = ""
    ) -> tuple[asyncio.Task[None], WaitingClient]:
        """Start waiting for a turn; return once it waits or has been refused."""
        await asyncio.sleep(0)
        client = WaitingClient(address or name[0])
        task = asyncio.create_task(self._serve(name, line, client))
        self._tasks.append(task)
        waits = asyncio.create_task(client.waits.wait())
        await asyncio.wait({task, waits}, return_when=asyncio.FIRST_COMPLETED)
        waits.cancel()
        return task, client

    async def _serve(self, name: str, line: Line, client: WaitingClient) -> None:
        async with self.turns.turn(line, client.client):
            self.served.append(name)

    async def end_first(self) -> None:
        """End the first turn; the next has it, but has not noticed yet."""
        self._may_end.set()
        await self._first

    async def finish(self) -> None:
        """End the first turn, and wait until nobody waits, not even for a free turn."""
        async with asyncio.timeout(WAIT_SECONDS):
            await self.end_first()
            if self._tasks:
                await asyncio.wait(self._tasks)
            async with self.turns.turn(Line.LOGINS, CLIENT):
                pass


@pytest.fixture
async def busy() -> Busy:
    """Turns that are taken."""
    return Busy()


async def test_networks_take_turns(busy: Busy) -> None:
    """One who comes after many of another network waits for one of them."""
    for name in ("a1", "a2", "a3", "b1"):
        await busy.ask(name)
    await busy.finish()

    assert busy.served == ["a1", "b1", "a2", "a3"]


async def test_addresses_of_one_ipv6_network_count_as_one(busy: Busy) -> None:
    """A client with a network of 64 bits gains nothing by using many of its addresses."""
    await busy.ask("a1", address="2001:db8::1")
    await busy.ask("a2", address="2001:db8::2")
    await busy.ask("b1", address="2001:db8:0:1::1")
    await busy.finish()

    assert busy.served == ["a1", "b1", "a2"]


async def test_lines_take_turns(busy: Busy) -> None:
    """Users wait for one login at most, however many strangers from wherever log in."""
    for name in ("a1", "b1", "c1", "d1"):
        await busy.ask(name)
    await busy.ask("u1", Line.ACCOUNTS)
    await busy.ask("r1", Line.REGISTRATIONS)
    await busy.ask("u2", Line.ACCOUNTS)
    await busy.finish()

    assert busy.served == ["a1", "r1", "u1", "b1", "u2", "c1", "d1"]


async def refused(task: asyncio.Task[None]) -> int:
    """The time to wait that somebody is refused with."""
    with pytest.raises(TooManyRequests) as error:
        await task
    # By this the Frontend distinguishes it from a limit.
    assert "RateLimit" not in error.value.headers
    return int(error.value.headers["Retry-After"])


async def test_without_a_place_the_answer_is_no(busy: Busy) -> None:
    """A network that has used all its places is refused at once, with the time to try again."""
    for number in range(PLACES_PER_NETWORK):
        await busy.ask(f"a{number}")
    task, _ = await busy.ask("a-more")

    assert task.done()
    assert await refused(task) == 1
    await busy.finish()
    assert len(busy.served) == PLACES_PER_NETWORK


async def test_full_line_has_room_for_a_newcomer(busy: Busy) -> None:
    """When crowds from some networks fill the line, somebody from another gets in."""
    crowd = [await busy.ask(f"a{n}", address=f"10.0.0.{n % 8}") for n in range(PLACES)]
    task, _ = await busy.ask("b1")

    (displaced,) = [crowded for crowded, _ in crowd if crowded.done()]
    assert await refused(displaced) == 1
    await busy.finish()
    await task
    assert "b1" in busy.served


async def test_place_of_a_client_that_left_is_free(busy: Busy) -> None:
    """A client that closes the connection waits no longer, and makes room at once."""
    waiting = [await busy.ask(f"a{number}") for number in range(PLACES_PER_NETWORK)]
    task, client = waiting[0]
    client.leave()
    with pytest.raises(ClientDisconnect):
        await asyncio.wait_for(task, WAIT_SECONDS)
    following, _ = await busy.ask("a-more")

    assert not following.done()
    await busy.finish()
    assert busy.served[-1] == "a-more"


@pytest.mark.parametrize("moment", ["while waiting", "when it has the turn"])
async def test_cancelled_request_passes_its_turn_on(busy: Busy, moment: str) -> None:
    """A request that ends in any moment does not keep the turn."""
    task, _ = await busy.ask("a1")
    await busy.ask("b1")
    if moment == "when it has the turn":
        await busy.end_first()
    task.cancel()
    await asyncio.wait({task})
    await busy.finish()

    assert task.cancelled()
    assert busy.served == ["b1"]


async def test_nobody_waits_long(busy: Busy, monkeypatch: pytest.MonkeyPatch) -> None:
    """If hashes take very long, those who wait are refused before their request times out."""
    monkeypatch.setattr(turns, "WAIT_SECONDS", 0.01)
    task, _ = await busy.ask("a1")

    assert await refused(task) == 1
    await busy.finish()
    assert busy.served == []


async def test_error_in_a_turn_passes_it_on(busy: Busy) -> None:
    """A turn that ends with an error is followed by the next."""

    async def fail() -> None:
        async with busy.turns.turn(Line.ACCOUNTS, WaitingClient().client):
            raise LookupError

    failing = asyncio.create_task(fail())
    await busy.ask("a1")
    await busy.finish()

    with pytest.raises(LookupError):
        await failing
    assert busy.served == ["a1"]
