"""Reading from a replica that lags, dies, freezes and recovers."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg
import pytest

from mythoughts_chassis.database import Connection, Database
from mythoughts_chassis.problems import Unavailable
from mythoughts_chassis.settings import Secret
from testkit.own_server import OwnReplica, frozen
from testkit.waiting import WAIT_SECONDS
from thoughts_backend.replica import SLOW_SECONDS, Replica

T = TypeVar("T")

FROM_REPLICA, FROM_PRIMARY = True, False
# The replica sleeps in this statement, holding the table; the primary does not.
SLEEP_ON_REPLICA = (
    "SELECT CASE WHEN pg_is_in_recovery() THEN pg_sleep($1) IS NOT NULL ELSE false END "
    "FROM (SELECT count(*) FROM thoughts) AS held"
)


def using(servers: OwnReplica, use: Callable[[Replica], Awaitable[T]]) -> T:
    """Return the result of `use` with a new pool of the replica, backed by the primary."""

    async def run() -> T:
        primary = Database(Secret(servers.url), pool_size=2, application_name="test")
        replica = Replica(
            Secret(servers.replica_url), primary=primary, pool_size=2, application_name="test"
        )
        try:
            return await use(replica)
        finally:
            replica.close()
            primary.close()

    return asyncio.run(run())


async def source(replica: Replica) -> bool:
    """Which server answers a read."""
    return await replica.run(lambda c: c.fetchval("SELECT pg_is_in_recovery()"), repeatable=True)


def sleeping(seconds: float) -> Callable[[Connection], Awaitable[bool]]:
    """A read that takes this long on a replica."""
    return lambda connection: connection.fetchval(SLEEP_ON_REPLICA, seconds)


def test_replica_answers(both: OwnReplica) -> None:
    """A working replica answers."""
    assert using(both, source) == FROM_REPLICA


@pytest.mark.parametrize("used_before", [True, False], ids=["used", "new"])
def test_primary_answers_for_a_replica_that_is_killed(both: OwnReplica, used_before: bool) -> None:
    """Even the read that finds the replica dead is answered, by the primary."""

    async def kill_and_read(replica: Replica) -> bool:
        if used_before:
            await source(replica)
        both.replica.process.kill()
        return await source(replica)

    assert using(both, kill_and_read) == FROM_PRIMARY


def test_primary_answers_for_a_replica_that_is_frozen(both: OwnReplica) -> None:
    """A replica that accepts everything but does not respond cannot hold a read forever."""

    async def freeze_and_read(replica: Replica) -> bool:
        await source(replica)
        with frozen(both.replica):
            return await source(replica)

    assert using(both, freeze_and_read) == FROM_PRIMARY


def test_primary_answers_for_a_statement_in_the_way_of_recovery(both: OwnReplica) -> None:
    """A read that the replica cancels because of a recovery conflict is answered."""

    async def stand_in_the_way(replica: Replica) -> bool:
        read = asyncio.create_task(replica.run(sleeping(600), repeatable=True))
        await wait_until_asleep(both)
        await lock_the_table(both)
        return await read

    assert using(both, stand_in_the_way) == FROM_PRIMARY


def test_replica_that_takes_long_is_waited_for(both: OwnReplica) -> None:
    """A slow search does not count as a dead replica and is not sent to the primary as well."""

    async def read_slowly(replica: Replica) -> bool:
        return await replica.run(sleeping(2 * SLOW_SECONDS), repeatable=True)

    assert using(both, read_slowly) == FROM_REPLICA


def test_replica_is_left_alone_after_a_failure(both: OwnReplica) -> None:
    """After a failure the next reads go to the primary at once."""

    async def read_after_a_failure(replica: Replica) -> bool:
        both.replica.process.kill()
        await source(replica)
        both.replica.start()
        return await source(replica)

    assert using(both, read_after_a_failure) == FROM_PRIMARY


def test_replica_that_is_back_answers_again(both: OwnReplica) -> None:
    """After the pause, a replica that has recovered is used as before."""

    async def read_after_the_pause(replica: Replica) -> list[bool]:
        both.replica.process.kill()
        await source(replica)
        both.replica.start()
        end_pause(replica)
        return [await source(replica), await source(replica)]

    assert using(both, read_after_the_pause) == [FROM_REPLICA, FROM_REPLICA]


def test_one_read_finds_out_for_all(both: OwnReplica) -> None:
    """While one read tests the replica, the others do not wait for it."""

    async def read_while_another_tries(replica: Replica) -> tuple[bool, bool]:
        with frozen(both.replica):
            end_pause(replica)
            trying = asyncio.create_task(source(replica))
            await asyncio.sleep(0)
            answer = await source(replica)
            others_waited = trying.done()
            await trying
        return answer, others_waited

    assert using(both, read_while_another_tries) == (FROM_PRIMARY, False)


def test_nothing_answers_when_both_are_away(both: OwnReplica) -> None:
    """Without a primary, a read that the replica cannot answer either is unavailable."""

    async def read(replica: Replica) -> bool:
        both.replica.process.kill()
        both.server.process.kill()
        return await source(replica)

    with pytest.raises(Unavailable):
        using(both, read)


def end_pause(replica: Replica) -> None:
    """Skip the pause after a failure of the replica."""
    replica._left_alone_until = 0.001


async def wait_until_asleep(servers: OwnReplica) -> None:
    """Wait until a statement sleeps on the replica."""
    connection = await asyncpg.connect(servers.replica_url)
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    async with asyncio.timeout(WAIT_SECONDS):
        while not await connection.fetchval(asleep):  # noqa: ASYNC110 (it sleeps elsewhere)
            await asyncio.sleep(0.02)
    await connection.close()


async def lock_the_table(servers: OwnReplica) -> None:
    """Lock the thoughts briefly on the primary, and so on the replica."""
    connection = await asyncpg.connect(servers.url)
    async with connection.transaction():
        await connection.execute("LOCK TABLE thoughts IN ACCESS EXCLUSIVE MODE")
    await connection.close()
