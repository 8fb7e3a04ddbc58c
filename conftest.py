"""Fixtures that every test of the tree may use: a real PostgreSQL server and fresh databases in it.

A test process (under pytest-xdist each worker) has one server, started when the first test asks
for a database. A service's own conftest.py builds on `new_database`: once a session it takes a
database, and runs its migrations on it. The service runs with a role that does not own it.
"""

import os
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.postgres import PostgresServer, new_password, remove_data
from testkit.own_server import temporary_folder
from testkit.roles import create_with_roles
from tooling.program import heed_signals


def pytest_configure() -> None:
    """End the tests in good order on Ctrl-C and SIGTERM, whatever was inherited."""
    heed_signals()
    # A developer may have set it, so that verbs ask nothing; tests are about their questions too.
    os.environ.pop("YES", None)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give the tests that schemathesis makes, one an operation, ids of their own.

    It gives them names only, and pytest-xdist takes tests of the same id for one test.
    """
    if not item.nodeid.endswith(item.name) and item.parent is not None:
        item._id = item.parent.id.child(item.name)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse two tests of one id: pytest-xdist would run one of them and say nothing."""
    twice = [name for name, count in Counter(item.nodeid for item in items).items() if count > 1]
    if twice:
        raise pytest.UsageError(f"several tests have the same id: {', '.join(twice)}")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A running PostgreSQL server without fsync, gone with its data at the end of the session.

    Where TEST_POSTGRES_PASSWORD_FILE names the password of `postgres`, it is the one that runs on
    port 5432 of this machine, as in the containers of tests, and it keeps running.

    Tests that stop or kill a server need one of their own: PostgresServer(...), not this one.
    """
    with temporary_folder() as folder:
        data_dir = folder / "postgres"
        if password_file := os.environ.get("TEST_POSTGRES_PASSWORD_FILE"):
            password = Path(password_file).read_text().rstrip()
            yield PostgresServer(data_dir, password=password, port=5432)
            return
        server = PostgresServer(data_dir, password=new_password(), durable=False)
        server.start()
        yield server
        server.stop()
        remove_data(data_dir)


@pytest.fixture(scope="session")
def new_database(postgres_server: PostgresServer) -> Iterator[Callable[[], str]]:
    """A function that makes an empty database with an owner of its own and returns its URL.

    `testkit.roles.service_url` returns that for its other role, the service's. The databases are
    dropped at the end of the session.
    """
    names: list[str] = []

    def make_database() -> str:
        # Several processes may share the server.
        name = f"test_{secrets.token_hex(8)}"
        url = create_with_roles(postgres_server, name)
        names.append(name)
        return url

    yield make_database
    for name in names:
        postgres_server.drop_database(name)
