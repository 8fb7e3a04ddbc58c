"""A schema that changes under connections that know it from before."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import asyncpg
import pytest

from mythoughts_chassis.database import Connection, Database
from mythoughts_chassis.problems import Unavailable
from mythoughts_chassis.settings import Secret

SQL = "SELECT note FROM notes"
CONNECTIONS = 3


@pytest.fixture
def url(new_database: Callable[[], str]) -> str:
    """The address of an empty database."""
    return new_database()


async def read(connection: Connection) -> object:
    """Read in a transaction: outside of one, asyncpg itself repeats what fails here."""
    async with connection.transaction():
        return await connection.fetchval(SQL)


@asynccontextmanager
async def after_a_change(url: str) -> AsyncIterator[Database]:
    """Open a database whose schema has changed since all connections of the pool have read."""
    database = Database(Secret(url), pool_size=CONNECTIONS, application_name="tests")
    owner = await asyncpg.connect(url)
    await owner.execute("CREATE TABLE notes (note int)")
    await owner.execute("INSERT INTO notes VALUES (1)")
    all_have_read = asyncio.Barrier(CONNECTIONS)

    async def read_together(connection: Connection) -> None:
        await read(connection)
        await all_have_read.wait()

    reads = [database.run(read_together, repeatable=True) for _ in range(CONNECTIONS)]
    await asyncio.gather(*reads)
    await owner.execute("ALTER TABLE notes ALTER note TYPE text")
    await owner.close()
    yield database
    database.close()


async def test_work_is_done_again_after_a_change(url: str) -> None:
    """Work that meets the old schema succeeds with the new one."""
    async with after_a_change(url) as database:
        assert await database.run(read, repeatable=False) == "1"


async def test_only_one_transaction_meets_the_old_schema(url: str) -> None:
    """A block cannot be repeated; after the first that fails, others have no old statements."""
    async with after_a_change(url) as database:
        with pytest.raises(Unavailable):
            async with database.transaction() as connection:
                await connection.fetchval(SQL)

        async with AsyncExitStack() as all_at_once:
            for _ in range(CONNECTIONS):
                connection = await all_at_once.enter_async_context(database.transaction())
                assert await connection.fetchval(SQL) == "1"


async def test_transaction_that_fails_changes_nothing(url: str) -> None:
    """An error in the block rolls back, and the connection is used again."""
    async with after_a_change(url) as database:
        with suppress(LookupError):
            async with database.transaction() as connection:
                await connection.execute("DELETE FROM notes")
                raise LookupError

        assert await database.run(read, repeatable=False) == "1"
