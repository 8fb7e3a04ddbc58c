"""The pool of connections: what failed work leaves behind, and what is idle."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from mythoughts_chassis import pool
from mythoughts_chassis.database import Connection, Database
from mythoughts_chassis.settings import Secret

INSERT = "INSERT INTO thoughts (user_id, username, text) VALUES (1, 'bruce', 'left')"
COUNT = "SELECT count(*) FROM thoughts WHERE text = 'left'"
PROCESS = "SELECT pg_backend_pid()"


@asynccontextmanager
async def pooled(url: str, *, pool_size: int = 1) -> AsyncIterator[Database]:
    """A pool."""
    database = Database(Secret(url), pool_size=pool_size, application_name="tests")
    try:
        yield database
    finally:
        database.close()


async def server_process(database: Database) -> int:
    """The PostgreSQL process behind the connection that is used next."""
    number: int = await database.run(lambda c: c.fetchval(PROCESS), repeatable=False)
    return number


async def begin_and_insert(connection: Connection) -> None:
    """Leave a transaction open."""
    await connection.execute("BEGIN")
    await connection.execute(INSERT)


async def begin_and_fail(connection: Connection) -> None:
    """Leave a transaction open because of an error."""
    await begin_and_insert(connection)
    raise KeyError


async def sleep(connection: Connection) -> None:
    """Take long."""
    await connection.execute("SELECT pg_sleep(600)")


async def test_connection_is_used_again(database_url: str) -> None:
    """One request after another uses the same connection."""
    async with pooled(database_url, pool_size=2) as database:
        processes = [await server_process(database) for _ in range(3)]

    assert len(set(processes)) == 1


async def test_statement_is_planned_once(database_url: str) -> None:
    """A connection makes one plan for a statement, for whatever values."""
    newest = "SELECT id FROM thoughts ORDER BY id DESC LIMIT $1"
    plans = "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement = $1"
    async with pooled(database_url) as database:
        for limit in (1, 1, 20):
            await database.fetch(newest, limit, repeatable=True)
        row = await database.fetchrow(plans, newest, repeatable=True)

    assert row is not None
    assert tuple(row) == (3, 0)


async def test_transaction_of_failed_work_is_rolled_back(database_url: str) -> None:
    """After an error nothing is left of an open transaction, and the connection is used again."""
    async with pooled(database_url) as database:
        process = await server_process(database)
        with pytest.raises(KeyError):
            await database.run(begin_and_fail, repeatable=False)
        left = await database.run(lambda c: c.fetchval(COUNT), repeatable=False)

        assert left == 0
        assert await server_process(database) == process


async def test_open_transaction_is_rolled_back(database_url: str) -> None:
    """Work that forgets its transaction does not hand it to the next request."""
    async with pooled(database_url) as database:
        await database.run(begin_and_insert, repeatable=False)

        assert await database.run(lambda c: c.fetchval(COUNT), repeatable=False) == 0


async def test_changed_schema_costs_no_request(database_url: str) -> None:
    """Statements that many connections have prepared are prepared again after a change."""
    statement = "SELECT * FROM changing"
    async with pooled(database_url, pool_size=4) as database:
        await database.execute("CREATE TABLE changing (a int)", repeatable=False)
        try:
            barrier = asyncio.Barrier(4)

            async def prepare(connection: Connection) -> None:
                await connection.fetch(statement)
                await barrier.wait()

            await asyncio.gather(*(database.run(prepare, repeatable=False) for _ in range(4)))
            await database.execute("ALTER TABLE changing ALTER a TYPE text", repeatable=False)

            for _ in range(4):
                assert await database.fetch(statement, repeatable=False) == []
        finally:
            await database.execute("DROP TABLE changing", repeatable=False)


async def test_cancelled_statement_ends_in_the_server(database_url: str) -> None:
    """A cancelled request stops its statement, and its connection is used again."""
    async with pooled(database_url) as database:
        process = await server_process(database)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await database.run(sleep, repeatable=True)

        assert await server_process(database) == process


async def test_connection_that_was_idle_for_long_is_closed(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that was not used for a while is replaced: it may be broken."""
    async with pooled(database_url) as database:
        process = await server_process(database)
        monkeypatch.setattr(pool, "IDLE_SECONDS", 0.0)

        assert await server_process(database) != process


async def test_connections_that_are_not_needed_are_closed(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a rush of requests, the next one closes the connections that are idle for long."""
    async with pooled(database_url, pool_size=3) as database:
        await asyncio.gather(
            *(database.execute("SELECT pg_sleep(0.2)", repeatable=True) for _ in range(3))
        )
        before = len(database._pool.idle)
        monkeypatch.setattr(pool, "IDLE_SECONDS", 0.1)
        await asyncio.sleep(0.2)
        await server_process(database)

        assert (before, len(database._pool.idle)) == (3, 1)
