"""What is old is deleted while a service runs."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
from structlog.testing import capture_logs

from mythoughts_chassis.database import Database
from mythoughts_chassis.housekeeping import PAUSE_SECONDS, keep_house
from mythoughts_chassis.settings import Secret
from testkit.sql import SqlConnection
from testkit.waiting import WAIT_SECONDS

DELETE_TWO = """
    DELETE FROM old WHERE id IN (SELECT id FROM old ORDER BY id LIMIT 2 FOR UPDATE SKIP LOCKED)
"""
FAILING = "DELETE FROM old WHERE 1 / (id - id) = 1"


@pytest.fixture
def url(new_database: Callable[[], str]) -> str:
    """A database with five rows to delete."""
    url = new_database()
    with asyncio.Runner() as runner, SqlConnection(runner, url) as sql:
        sql.run("CREATE TABLE old AS SELECT id FROM generate_series(1, 5) id")
    return url


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """An event loop."""
    with asyncio.Runner() as runner:
        yield runner


async def _clean(url: str, *statements: str, every_seconds: float, refills: int = 0) -> None:
    """Run the housekeeping until the table is empty, and fill it again `refills` times."""
    database = Database(Secret(url), pool_size=2, application_name="test")
    work = asyncio.create_task(keep_house(database, statements, every_seconds=every_seconds))
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            await _wait_until_empty(database)
            for _ in range(refills):
                # By now the statement has found the table empty.
                await asyncio.sleep(3 * PAUSE_SECONDS)
                await database.execute("INSERT INTO old VALUES (6)", repeatable=False)
                await _wait_until_empty(database)
    finally:
        work.cancel()
        database.close()


async def _wait_until_empty(database: Database) -> None:
    while await database.fetch("SELECT FROM old", repeatable=True):  # noqa: ASYNC110
        await asyncio.sleep(0.01)


def test_everything_old_is_deleted_in_small_parts(runner: asyncio.Runner, url: str) -> None:
    """A statement that deletes two rows is repeated at once until all five are gone."""
    runner.run(_clean(url, DELETE_TWO, every_seconds=3600))


def test_it_continues_while_the_service_runs(runner: asyncio.Runner, url: str) -> None:
    """Rows that become old later are deleted too."""
    runner.run(_clean(url, DELETE_TWO, every_seconds=0.01, refills=2))


def test_failure_is_logged_and_stops_nothing(runner: asyncio.Runner, url: str) -> None:
    """A statement that fails is logged; the others are still run."""
    with capture_logs() as log:
        runner.run(_clean(url, FAILING, DELETE_TWO, every_seconds=0.01, refills=2))

    assert {entry["event"] for entry in log} == {"housekeeping failed"}
