from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.destination import database_url
from benchmarks.loading import connected
from local.folder import Folder
from local.postgres import PostgresServer, remove_data
from testkit.own_server import temporary_folder
from tooling.failures import Failure


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """The running server of a folder as created by `make up`, with the thoughts database."""
    with temporary_folder() as parent:
        folder = Folder(parent / ".local")
        with folder.held():
            secrets = folder.secrets()
        server = PostgresServer(folder.postgres, password=secrets.postgres, durable=False)
        server.start()
        server.create_database("thoughts", owner="thoughts", password=secrets.thoughts)
        yield server
        server.stop()
        remove_data(folder.postgres)


async def _answer(url: str) -> str:
    async with connected(url) as connection:
        return str(await connection.fetchval("SELECT current_user"))


def test_database_can_be_named(tmp_path: Path) -> None:
    """DATABASE_URL is used unchanged, whatever is in the folder."""
    url = "postgresql://thoughts@database.example/thoughts"

    with database_url({"DATABASE_URL": url}, tmp_path, 10) as found:
        assert found == url


async def test_running_database_is_found(server: PostgresServer) -> None:
    """The database of a running `make up` is used, and keeps running."""
    folder = Folder(server.data_dir.parent)

    with folder.held(), database_url({}, folder.path, 10) as url:
        assert await _answer(url) == "thoughts"
    assert server.process.is_running


async def test_stopped_database_runs_for_as_long(server: PostgresServer) -> None:
    """The database of a stopped `make up` is started, and stopped at the end."""
    server.stop()

    with database_url({}, server.data_dir.parent, 10) as url:
        assert await _answer(url) == "thoughts"
    with pytest.raises(OSError, match="Connect"):
        await _answer(url)


def test_no_database_is_an_error(tmp_path: Path) -> None:
    """The message says how to create one."""
    with pytest.raises(Failure, match="make up"), database_url({}, tmp_path, 10):
        pass


def test_too_little_room_is_an_error(tmp_path: Path) -> None:
    """Before anything is started, the message says how much room is needed and how much is free."""
    (tmp_path / "postgres").mkdir()

    with pytest.raises(Failure, match="GB free"), database_url({}, tmp_path, 10**15):
        pass
