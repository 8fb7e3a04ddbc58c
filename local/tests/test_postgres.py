"""The embedded PostgreSQL server."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from local.postgres import PostgresError, PostgresServer, new_password, remove_data


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[PostgresServer]:
    """A running server for one test, in a folder that only its owner can enter."""
    data_dir = tmp_path / "data of the server"
    server = PostgresServer(data_dir, password=new_password(), durable=False)
    server.start()
    yield server
    server.stop()
    remove_data(data_dir)


async def _ask(url: str, sql: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_database_knows_the_letters_of_all_scripts(new_database: Callable[[], str]) -> None:
    """A database has the case mapping and character classes of Unicode, on every system."""
    url = new_database()

    row = await _ask(
        url,
        "SELECT concat_ws(' ', pg_encoding_to_char(encoding), datlocprovider, datlocale, datctype)"
        " FROM pg_database WHERE datname = current_database()",
    )

    assert row == "UTF8 b C.UTF-8 C.UTF-8"


async def test_data_outlive_the_server(own_server: PostgresServer) -> None:
    """Committed data is still there after a stop and a start."""
    url = own_server.create_database("shop", owner="shop", password=new_password())
    await _ask(url, "CREATE TABLE kept AS SELECT 7 AS number")

    own_server.stop()
    own_server.start()

    assert await _ask(url, "SELECT number FROM kept") == 7


async def test_data_outlive_a_killed_server(own_server: PostgresServer) -> None:
    """After its process is killed, the server starts again with the committed data."""
    url = own_server.create_database("shop", owner="shop", password=new_password())
    await _ask(url, "CREATE TABLE kept AS SELECT 7 AS number")

    own_server.process.kill()
    own_server.start()

    assert await _ask(url, "SELECT number FROM kept") == 7


async def test_databases_are_apart(own_server: PostgresServer) -> None:
    """The owner of one database may not connect to another."""
    own_server.create_database("mine", owner="me", password="first")
    own_server.create_database("yours", owner="you", password="second")

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await _ask(own_server.url("yours", user="me", password="first"), "SELECT 1")


async def test_passwords_are_asked_for(own_server: PostgresServer) -> None:
    """Nobody can connect without the right password."""
    with pytest.raises(asyncpg.InvalidPasswordError):
        await _ask(own_server.url("postgres", password="a guess"), "SELECT 1")


async def test_creating_a_database_again_keeps_it(own_server: PostgresServer) -> None:
    """An existing database keeps its contents; its owner's password is set to the given one."""
    url = own_server.create_database("shop", owner="shop", password="old")
    await _ask(url, "CREATE TABLE kept AS SELECT 7 AS number")

    url = own_server.create_database("shop", owner="shop", password="new")

    assert url.startswith("postgresql://shop:new@127.0.0.1:")
    assert await _ask(url, "SELECT number FROM kept") == 7


def test_server_is_not_root(own_server: PostgresServer) -> None:
    """The server runs under an unprivileged account, whichever user starts it."""
    status = Path(f"/proc/{own_server.process.pid}/status")

    owner = status.stat().st_uid if status.exists() else os.geteuid()

    assert owner != 0


def test_taken_port_is_reported(own_server: PostgresServer, tmp_path: Path) -> None:
    """A server whose port is taken does not start, and the error shows PostgreSQL's own message."""
    second = PostgresServer(
        tmp_path / "second", password=new_password(), port=own_server.port, durable=False
    )

    with pytest.raises(PostgresError, match="could not bind IPv4 address"):
        second.start()

    remove_data(second.data_dir)


def test_removed_data_are_gone(tmp_path: Path) -> None:
    """Removing the data also deletes it outside the project's folder."""
    server = PostgresServer(tmp_path / "data", password=new_password(), durable=False)
    server.start()
    place = server.data_dir.resolve()
    server.stop()

    remove_data(server.data_dir)

    assert not place.exists()
    assert not os.path.lexists(server.data_dir)
