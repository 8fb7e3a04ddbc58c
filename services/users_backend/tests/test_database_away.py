"""A real PostgreSQL server that stops and recovers under the backend."""

import asyncio
from collections.abc import Iterator

import pytest

from local.postgres import PostgresServer
from testkit.http_client import Answer, HttpClient
from testkit.own_server import OwnServer, temporary_folder
from testkit.service_process import ServiceProcess
from testkit.token_maker import TokenMaker
from testkit.users_sql import PASSWORD, Sql
from testkit.waiting import wait_until
from users_backend.app import MIGRATIONS

BRUCE = {"username": "bruce", "password": PASSWORD}
ZOE = {"username": "zoë", "password": PASSWORD}


@pytest.fixture(scope="module")
def own() -> Iterator[OwnServer]:
    """A server that this module's tests stop and start, with bruce as user 1, an admin as 2."""
    with temporary_folder() as folder:
        own = OwnServer(folder, MIGRATIONS)
        with asyncio.Runner() as runner, Sql(runner, own.url) as sql:
            sql.add_user("bruce")
            sql.add_session(sql.add_user("admin", is_admin=True))
        yield own
        own.remove()


@pytest.fixture(scope="module")
def own_server(own: OwnServer) -> PostgresServer:
    """That server."""
    return own.server


@pytest.fixture(scope="module")
def own_backend(
    backend_settings: dict[str, str], own: OwnServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServiceProcess]:
    """A backend of that server."""
    settings = backend_settings | {"DATABASE_URL": own.url}
    backend = ServiceProcess("users_backend", settings, folder=tmp_path_factory.mktemp("away"))
    backend.start()
    yield backend
    backend.stop()


@pytest.fixture
def with_database(own_backend: ServiceProcess, own_server: PostgresServer) -> HttpClient:
    """A client of that backend, which uses its database."""
    if not own_server.process.is_running:
        own_server.start()
    wait_until(lambda: own_backend.http.get("/readyz").status == 200)
    return own_backend.http


@pytest.fixture
def without_database(with_database: HttpClient, own_server: PostgresServer) -> HttpClient:
    """A client of that backend, whose database has stopped."""
    own_server.stop()
    return with_database


@pytest.fixture
def admin(token_maker: TokenMaker) -> str:
    """The token of the admin in that database."""
    return token_maker.token("admin", user_id=2, sid="1", scope="admin")


def assert_unavailable(answer: Answer) -> None:
    """Check that a response says to try again."""
    assert answer.status == 503
    assert answer.headers["Retry-After"] == "1"
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/login", BRUCE),
        ("GET", "/api/me", None),
        ("POST", "/api/me/password", {"password": PASSWORD, "new_password": PASSWORD}),
        ("GET", "/admin/users", None),
        ("POST", "/admin/users", ZOE),
        ("DELETE", "/admin/users/1", None),
        ("GET", "/readyz", None),
    ],
)
def test_stopped_database_is_unavailable(
    without_database: HttpClient, admin: str, method: str, path: str, body: object
) -> None:
    """While the database is down, calls that need it get 503, and the service is not ready."""
    answer = without_database.request(method, path, token=admin, json=body)

    assert_unavailable(answer)


def test_forgeries_and_keys_need_no_database(without_database: HttpClient) -> None:
    """While the database is down forged tokens are refused and the public keys are served."""
    http = without_database

    statuses = [
        http.get("/admin/users", token="forged").status,
        http.get("/.well-known/jwks.json").status,
        http.get("/healthz").status,
    ]

    assert statuses == [401, 200, 200]


def test_service_recovers_by_itself(with_database: HttpClient, own_server: PostgresServer) -> None:
    """When the database is back, the service works again."""
    own_server.stop()
    assert_unavailable(with_database.post("/api/login", json=BRUCE))
    own_server.start()

    wait_until(lambda: with_database.get("/readyz").status == 200)

    assert with_database.post("/api/login", json=BRUCE).status == 200
