"""A real PostgreSQL server that stops, dies, freezes and recovers under the backend."""

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.thoughts_backend.tests.conftest import MakeBackend
from testkit.http_client import Answer, HttpClient
from testkit.own_server import OwnServer, frozen, temporary_folder
from testkit.service_process import ServiceProcess
from testkit.thoughts_sql import Sql
from testkit.waiting import wait_until
from thoughts_backend.app import MIGRATIONS

# The Frontend waits for 3 s; a machine that stands still for seconds gets more.
SOON_SECONDS = 20.0


@pytest.fixture(scope="module")
def own_server() -> Iterator[OwnServer]:
    """The server that this module's tests stop and start."""
    with temporary_folder() as folder:
        own = OwnServer(folder, MIGRATIONS)
        yield own
        own.remove()


@pytest.fixture(scope="module")
def backend(
    own_server: OwnServer,
    backend_settings: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[ServiceProcess]:
    """A backend of that server, which survives all of it."""
    settings = backend_settings | {"DATABASE_URL": own_server.url}
    backend = ServiceProcess("thoughts_backend", settings, folder=tmp_path_factory.mktemp("away"))
    backend.start()
    yield backend
    backend.stop()


@pytest.fixture
def http(own_server: OwnServer, backend: ServiceProcess) -> HttpClient:
    """A client of the backend, which has used its database."""
    if not own_server.server.process.is_running:
        own_server.server.start()
    wait_until(lambda: is_ready(backend.http))
    assert backend.http.get("/api/thoughts/").status == 200
    return backend.http


def is_ready(http: HttpClient) -> bool:
    """Whether the backend reports that it is ready."""
    return http.get("/readyz").status == 200


def assert_unavailable(answer: Answer) -> None:
    """Check that a response says to try again."""
    assert answer.status == 503
    assert answer.headers["Retry-After"] == "1"
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "options"),
    [
        ("GET", "/api/thoughts/", {}),
        ("GET", "/api/thoughts/1/", {}),
        ("GET", "/api/me/thoughts/?search=water", {}),
        ("POST", "/api/me/thoughts/", {"json": {"text": "a"}}),
        (
            "POST",
            "/api/me/thoughts/",
            {"json": {"text": "a"}, "headers": {"Idempotency-Key": "k"}},
        ),
        ("DELETE", "/api/me/thoughts/1/", {}),
    ],
    ids=["list", "one", "search", "share", "share with a key", "delete"],
)
def test_stopped_database_is_unavailable(
    http: HttpClient,
    own_server: OwnServer,
    bruce: str,
    method: str,
    path: str,
    options: dict[str, object],
) -> None:
    """While the database is down every endpoint returns 503 with Retry-After."""
    own_server.server.stop()

    assert_unavailable(http.request(method, path, token=bruce, **options))  # type: ignore[arg-type]


def test_readiness_follows_the_database(http: HttpClient, own_server: OwnServer) -> None:
    """/readyz returns 503 while the database is down, and 200 when it is back."""
    own_server.server.stop()
    without = http.get("/readyz")
    own_server.server.start()

    wait_until(lambda: is_ready(http))

    assert_unavailable(without)


def test_process_stays_alive_without_its_database(http: HttpClient, own_server: OwnServer) -> None:
    """/healthz does not depend on the database."""
    own_server.server.stop()

    assert http.get("/healthz").status == 200


def test_input_is_still_checked_without_a_database(
    http: HttpClient, own_server: OwnServer, bruce: str
) -> None:
    """Errors that need no database are still returned."""
    own_server.server.stop()

    statuses = [
        http.get("/api/thoughts/?limit=0").status,
        http.get("/api/me/thoughts/").status,
        http.get("/api/thoughts/0/").status,
        http.post("/api/me/thoughts/", token=bruce, json={"text": ""}).status,
    ]

    assert statuses == [400, 401, 404, 400]


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_restart_is_survived_without_a_failed_read(
    http: HttpClient, own_server: OwnServer, end: str
) -> None:
    """After a restart, even by kill -9, the very next requests are answered."""
    if end == "stop":
        own_server.server.stop()
    else:
        own_server.server.process.kill()
    own_server.server.start()

    assert [http.get("/api/thoughts/").status for _ in range(5)] == [200] * 5


def test_answers_through_a_restart_are_right_or_unavailable(
    http: HttpClient, own_server: OwnServer
) -> None:
    """While the server dies and recovers, requests return 200 or 503, and 200 at the end."""
    statuses: set[int] = set()
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            statuses.add(http.get("/api/thoughts/").status)

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    own_server.server.process.kill()
    wait_until(lambda: 503 in statuses)
    own_server.server.start()
    wait_until(lambda: http.get("/api/thoughts/").status == 200)
    over.set()
    for asker in askers:
        asker.join()

    assert statuses == {200, 503}


def test_backend_starts_without_its_database(
    make_backend: MakeBackend, own_server: OwnServer
) -> None:
    """A backend starts without its database, says so, and serves once it is there."""
    own_server.server.stop()
    backend = make_backend(DATABASE_URL=own_server.url)
    backend.start()
    first = backend.http.get("/api/thoughts/")
    own_server.server.start()

    wait_until(lambda: is_ready(backend.http))

    assert_unavailable(first)
    assert backend.http.get("/api/thoughts/").status == 200


def test_frozen_database_answers_in_time(http: HttpClient, own_server: OwnServer) -> None:
    """A server that accepts everything but does not respond cannot hold a request forever."""
    started = time.monotonic()

    with frozen(own_server.server):
        answer = http.get("/api/thoughts/")

    assert_unavailable(answer)
    assert time.monotonic() - started < SOON_SECONDS


def test_frozen_database_does_not_hold_a_transaction(
    http: HttpClient, own_server: OwnServer, bruce: str
) -> None:
    """The same holds for a transaction that would have to be rolled back."""
    share = {"json": {"text": "a"}, "headers": {"Idempotency-Key": "frozen"}}
    url = own_server.url
    with asyncio.Runner() as runner, Sql(runner, url) as holder, ThreadPoolExecutor(1) as thread:
        holder.run("BEGIN")
        holder.run("LOCK TABLE thoughts")
        started = time.monotonic()
        request = thread.submit(http.post, "/api/me/thoughts/", token=bruce, **share)
        wait_until(lambda: holder.value("SELECT count(*) FROM pg_locks WHERE NOT granted") == 1)

        with frozen(own_server.server):
            answer = request.result()

    assert_unavailable(answer)
    assert time.monotonic() - started < SOON_SECONDS


def test_frozen_database_makes_unready(http: HttpClient, own_server: OwnServer) -> None:
    """/readyz detects within its own time limit that the database does not respond."""
    with frozen(own_server.server):
        answer = http.get("/readyz")

    assert_unavailable(answer)


def test_thawed_database_serves_again(http: HttpClient, own_server: OwnServer) -> None:
    """When the server responds again, the backend recovers by itself."""
    with frozen(own_server.server):
        http.get("/api/thoughts/")

    wait_until(lambda: is_ready(http))

    assert http.get("/api/thoughts/").status == 200


def test_outage_is_logged_in_one_line_each(
    http: HttpClient, own_server: OwnServer, backend: ServiceProcess
) -> None:
    """An outage logs warnings without tracebacks, and never the database's password."""
    own_server.server.stop()
    http.get("/api/thoughts/", headers={"X-Request-ID": "outage"})

    line = backend.wait_for_line("database unavailable", request_id="outage")

    password = own_server.url.split(":")[2].split("@")[0]
    assert line["level"] == "warning"
    assert "Traceback" not in "\n".join(backend.output)
    assert password not in "\n".join(backend.output)
