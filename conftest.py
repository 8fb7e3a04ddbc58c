"""Fixtures that every test of the tree may use: a real PostgreSQL server and fresh databases in it.

A test process (under pytest-xdist each worker) has one server, started when the first test asks
for a database. A service's own conftest.py builds on `new_database`: once a session it takes a
database, runs its migrations on it, and gives the tests a pool that is emptied after each.
"""

import itertools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.postgres import PostgresServer, new_password, remove_data


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A running PostgreSQL server without fsync, gone with its data at the end of the session.

    Tests that stop or kill a server need one of their own: PostgresServer(...), not this one.
    """
    with tempfile.TemporaryDirectory(prefix="mythoughts-tests-") as folder:
        Path(folder).chmod(0o711)
        data_dir = Path(folder, "postgres")
        server = PostgresServer(data_dir, password=new_password(), durable=False)
        server.start()
        yield server
        server.stop()
        remove_data(data_dir)


@pytest.fixture(scope="session")
def new_database(postgres_server: PostgresServer) -> Iterator[Callable[[], str]]:
    """A function that makes an empty database with an owner of its own and returns its URL.

    The databases are dropped at the end of the session.
    """
    names: list[str] = []
    numbers = itertools.count(1)

    def make_database() -> str:
        name = f"test_{next(numbers)}"
        url = postgres_server.create_database(name, owner=name, password=new_password())
        names.append(name)
        return url

    yield make_database
    for name in names:
        postgres_server.drop_database(name)
