import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence

import psutil
import pytest

from benchmarks.tests.table import copied_so_far, definitions_of, end_copying, rows_of
from testkit.deaf import DEAF
from tooling.project import ROOT

SECONDS = 60

StartLoad = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start_load() -> Iterator[StartLoad]:
    """A function that starts the command, behind another, with these settings."""
    started: list[subprocess.Popen[str]] = []

    def start(*before: str, **settings: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*before, sys.executable, "-m", "benchmarks.load_data"],
            cwd=ROOT,
            env=settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


async def _until_rows_are_copied(database_url: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not await copied_so_far(database_url):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def test_command_loads_and_says_how_fast(database_url: str, start_load: StartLoad) -> None:
    """The thoughts are in the database, and the last lines have the figures."""
    output, _ = start_load(N="1500", DATABASE_URL=database_url).communicate(timeout=SECONDS)

    assert "Loaded 1,500 thoughts in" in output
    assert len(await rows_of(database_url)) == 1500


async def test_second_command_goes_on(database_url: str, start_load: StartLoad) -> None:
    """A second load adds different thoughts from the first."""
    start_load(N="300", DATABASE_URL=database_url).communicate(timeout=SECONDS)

    start_load(N="300", DATABASE_URL=database_url).communicate(timeout=SECONDS)

    assert len({created_at for _, _, _, created_at in await rows_of(database_url)}) == 600


async def test_killed_load_leaves_nothing(database_url: str, start_load: StartLoad) -> None:
    """After SIGKILL the table and its indexes are as before, and no process is left."""
    before = await definitions_of(database_url)
    load = start_load(N="1000000", DATABASE_URL=database_url)
    await _until_rows_are_copied(database_url)
    children = psutil.Process(load.pid).children(recursive=True)

    load.kill()

    assert await rows_of(database_url) == []
    assert await definitions_of(database_url) == before
    assert psutil.wait_procs(children, timeout=SECONDS)[1] == []


@pytest.mark.parametrize("before", [(), DEAF], ids=["plain", "deaf"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_stopped_load_says_that_nothing_is_there(
    database_url: str, start_load: StartLoad, number: signal.Signals, before: Sequence[str]
) -> None:
    """Ctrl-C, or SIGTERM, ends it cleanly, whatever it inherited: the table is as it was."""
    load = start_load(*before, N="1000000", DATABASE_URL=database_url)
    await _until_rows_are_copied(database_url)

    load.send_signal(number)
    output, _ = load.communicate(timeout=SECONDS)

    assert load.returncode == 130
    assert output.endswith("Stopped. Nothing was loaded.\n")
    assert await rows_of(database_url) == []


async def test_lost_connection_ends_the_load(database_url: str, start_load: StartLoad) -> None:
    """If the server ends the session, the load ends too, and says so."""
    load = start_load(N="1000000", DATABASE_URL=database_url)
    await _until_rows_are_copied(database_url)

    await end_copying(database_url)
    output, _ = load.communicate(timeout=SECONDS)

    assert load.returncode == 1
    assert "The connection to the database was lost.\nNothing was loaded." in output


@pytest.mark.parametrize("count", ["", "0", "-5", "1e6", "many", "٣", "9" * 30])
def test_unusable_number_is_refused(start_load: StartLoad, count: str) -> None:
    """The message shows the correct form."""
    load = start_load(N=count)
    output, _ = load.communicate(timeout=SECONDS)

    assert load.returncode == 1
    assert "make load-data N=1000000" in output


def test_database_that_is_away_is_an_error(start_load: StartLoad) -> None:
    """The message says that the database cannot be used, and that nothing was loaded."""
    load = start_load(N="10", DATABASE_URL="postgresql://thoughts@127.0.0.1:9/thoughts")
    output, _ = load.communicate(timeout=SECONDS)

    assert load.returncode == 1
    assert "The database cannot be used:" in output
    assert "Nothing was loaded." in output
