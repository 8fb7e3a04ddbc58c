"""The Thoughts Backend as a process, with a migrated database that is empty for each test."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from testkit.fake_backend import FakeEndedSessions
from testkit.http_client import HttpClient
from testkit.own_server import OwnReplica, temporary_folder
from testkit.roles import migrate_with_roles, service_url
from testkit.service_process import MakeProcess, ServiceProcess, service_maker
from testkit.thoughts_sql import Sql
from testkit.token_maker import TokenMaker
from testkit.waiting import wait_until
from thoughts_backend.app import MIGRATIONS

MakeBackend = MakeProcess


def knows_ended_sessions(http: HttpClient, token_maker: TokenMaker) -> bool:
    """Whether the backend allows admins what only they may do."""
    answer = http.request("DELETE", "/admin/thoughts/1", token=token_maker.admin_token())
    return answer.status != 503


@pytest.fixture(scope="session")
def token_maker(tmp_path_factory: pytest.TempPathFactory) -> TokenMaker:
    """Signs tokens that the backend accepts."""
    return TokenMaker(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def bruce(token_maker: TokenMaker) -> str:
    """The token of bruce, user 1."""
    return token_maker.token("bruce", user_id=1)


@pytest.fixture(scope="session")
def stephen(token_maker: TokenMaker) -> str:
    """The token of stephen, user 2."""
    return token_maker.token("stephen", user_id=2)


@pytest.fixture(scope="session")
def admin(token_maker: TokenMaker) -> str:
    """The token of an admin."""
    return token_maker.admin_token()


@pytest.fixture(scope="session")
def database_url(new_database: Callable[[], str]) -> str:
    """A migrated database, as its owner."""
    url = new_database()
    migrate_with_roles(url, MIGRATIONS)
    return url


@pytest.fixture(scope="session")
def ended_sessions(token_maker: TokenMaker) -> Iterator[FakeEndedSessions]:
    """What stands in for the Users Backend; no session has ended."""
    publisher = FakeEndedSessions(token_maker)
    yield publisher
    publisher.stop()


@pytest.fixture(scope="session")
def backend_settings(
    database_url: str, token_maker: TokenMaker, ended_sessions: FakeEndedSessions
) -> dict[str, str]:
    """The environment of a working backend."""
    return {
        "DATABASE_URL": service_url(database_url),
        "TOKEN_PUBLIC_KEYS_PATH": str(token_maker.public_path),
        "USERS_BACKEND_URL": ended_sessions.url,
    }


@pytest.fixture(scope="session")
def backend(
    backend_settings: dict[str, str],
    token_maker: TokenMaker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[ServiceProcess]:
    """The backend shared by most tests; tests that stop or strain it create their own."""
    backend = ServiceProcess(
        "thoughts_backend", backend_settings, folder=tmp_path_factory.mktemp("backend")
    )
    backend.start()
    wait_until(lambda: knows_ended_sessions(backend.http, token_maker))
    yield backend
    backend.stop()


@pytest.fixture
def make_backend(backend_settings: dict[str, str], tmp_path: Path) -> Iterator[MakeBackend]:
    """A function that creates a backend for one test, with changed settings, not started."""
    with service_maker("thoughts_backend", backend_settings, tmp_path) as make:
        yield make


@pytest.fixture
def http(backend: ServiceProcess, sql: Sql) -> HttpClient:
    """A client of the shared backend, whose tables are empty."""
    return backend.http


@pytest.fixture(scope="session")
def sql_connection(database_url: str) -> Iterator[Sql]:
    """A connection to the database."""
    with asyncio.Runner() as runner, Sql(runner, database_url) as sql:
        yield sql


@pytest.fixture
def sql(sql_connection: Sql) -> Iterator[Sql]:
    """A connection to the database, which is emptied after the test."""
    yield sql_connection
    sql_connection.run("TRUNCATE thoughts, idempotency_keys, share_counts, audit RESTART IDENTITY")


@pytest.fixture(scope="module")
def servers() -> Iterator[OwnReplica]:
    """A primary and a replica that the tests of one module can stop and start."""
    with temporary_folder() as folder:
        own = OwnReplica(folder, MIGRATIONS)
        yield own
        own.remove()


@pytest.fixture
def both(servers: OwnReplica) -> OwnReplica:
    """Both of them, running."""
    for server in (servers.server, servers.replica):
        if not server.process.is_running:
            server.start()
    return servers
