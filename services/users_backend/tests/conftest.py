"""The Users Backend as a process, with a migrated database that is empty for each test."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from mythoughts_chassis.clients import Client
from mythoughts_chassis.settings import Secret
from testkit.http_client import HttpClient
from testkit.roles import migrate_with_roles, service_url
from testkit.service_process import MakeProcess, ServiceProcess, service_maker
from testkit.token_maker import TokenMaker
from testkit.users_sql import Sql
from users_backend.app import MIGRATIONS, make_parts
from users_backend.parts import Parts
from users_backend.passwords import PasswordHasher
from users_backend.settings import Settings

CLIENT = Client("192.0.2.1", "tests", "request")

MakeBackend = MakeProcess
LogIn = Callable[..., str]
Opened = Callable[..., AbstractAsyncContextManager[Parts]]


@pytest.fixture(scope="session")
def token_maker(tmp_path_factory: pytest.TempPathFactory) -> TokenMaker:
    """Holds the keys of the shared backend."""
    return TokenMaker(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def own_keys(tmp_path: Path) -> TokenMaker:
    """Keys for one test."""
    return TokenMaker(tmp_path / "keys")


@pytest.fixture(scope="session")
def database_url(new_database: Callable[[], str]) -> str:
    """A migrated database, as its owner."""
    url = new_database()
    migrate_with_roles(url, MIGRATIONS)
    return url


@pytest.fixture(scope="session")
def backend_settings(database_url: str, token_maker: TokenMaker) -> dict[str, str]:
    """The environment of a working backend."""
    return {
        "DATABASE_URL": service_url(database_url),
        "TOKEN_PRIVATE_KEYS_PATH": str(token_maker.private_path),
        "TOKEN_PUBLIC_KEYS_PATH": str(token_maker.public_path),
    }


@pytest.fixture(scope="session")
def owner_settings(backend_settings: dict[str, str], database_url: str) -> dict[str, str]:
    """The environment of the commands that use the database as its owner."""
    return backend_settings | {"MIGRATIONS_DATABASE_URL": database_url}


@pytest.fixture(scope="session")
def backend(
    backend_settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServiceProcess]:
    """The backend shared by most tests; tests that stop or strain it create their own."""
    backend = ServiceProcess(
        "users_backend", backend_settings, folder=tmp_path_factory.mktemp("backend")
    )
    backend.start()
    yield backend
    backend.stop()


@pytest.fixture
def make_backend(backend_settings: dict[str, str], tmp_path: Path) -> Iterator[MakeBackend]:
    """A function that creates a backend for one test, with changed settings, not started."""
    with service_maker("users_backend", backend_settings, tmp_path) as make:
        yield make


@pytest.fixture
def http(backend: ServiceProcess, sql: Sql) -> HttpClient:
    """A client of the shared backend, whose table is empty."""
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
    # Faster than TRUNCATE for a few rows.
    sql_connection.run("DELETE FROM sessions")
    sql_connection.run("DELETE FROM users")
    sql_connection.run("DELETE FROM audit")
    sql_connection.run("DELETE FROM guesses")
    sql_connection.run("SELECT setval('users_id_seq', 1, false)")


@pytest.fixture
def opened(token_maker: TokenMaker, database_url: str) -> Opened:
    """A function that opens the parts of a service, perhaps with another hasher."""

    @asynccontextmanager
    async def open_parts(hasher: PasswordHasher | None = None) -> AsyncIterator[Parts]:
        settings = Settings(
            database_url=Secret(service_url(database_url)),
            token_private_keys_path=token_maker.private_path,
            token_public_keys_path=token_maker.public_path,
        )
        parts = make_parts(settings)
        if hasher is not None:
            parts = replace(parts, passwords=hasher)
        try:
            yield parts
        finally:
            parts.database.close()

    return open_parts


@pytest.fixture
def log_in_by_sql(sql: Sql, token_maker: TokenMaker) -> LogIn:
    """A function that starts a session of a user, and returns its token."""

    def log_in(username: str, user_id: int, **claims: object) -> str:
        session_id = sql.add_session(user_id)
        return token_maker.token(username, user_id=user_id, sid=str(session_id), **claims)

    return log_in


@pytest.fixture
def bruce(sql: Sql, log_in_by_sql: LogIn) -> str:
    """The token of bruce, who exists."""
    return log_in_by_sql("bruce", sql.add_user("bruce"))


@pytest.fixture
def admin(sql: Sql, log_in_by_sql: LogIn) -> str:
    """The token of an admin, who exists."""
    return log_in_by_sql("admin", sql.add_user("admin", is_admin=True), scope="admin")
