"""Time limits of requests: a locked table, a busy pool."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from testkit.http_client import Answer, HttpClient, patiently
from testkit.service_process import ServiceProcess
from testkit.thoughts_sql import Sql
from testkit.waiting import wait_until

# The Frontend waits for 3 s; a machine that stands still for seconds gets more.
SOON_SECONDS = 20.0
POOL_SIZE = 2


@pytest.fixture(scope="module")
def small_pool(
    backend_settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[HttpClient]:
    """A client of a backend with two connections to the database."""
    settings = backend_settings | {"DATABASE_POOL_SIZE": str(POOL_SIZE)}
    backend = ServiceProcess("thoughts_backend", settings, folder=tmp_path_factory.mktemp("small"))
    backend.start()
    yield backend.http
    backend.stop()


@pytest.fixture
def locked_table(sql: Sql) -> Iterator[Sql]:
    """A connection that locks the table of thoughts until its ROLLBACK."""
    with sql.other() as holder:
        holder.run("BEGIN")
        holder.run("LOCK TABLE thoughts")
        yield holder
        holder.run("ROLLBACK")


def test_requests_that_take_too_long_end(http: HttpClient, locked_table: Sql, bruce: str) -> None:
    """Requests that wait for a lock get 503 with Retry-After before a Frontend gives up."""
    share = {"token": bruce, "json": {"text": "a"}}
    calls: list[Callable[[], Answer]] = [
        lambda: http.get("/api/thoughts/"),
        lambda: http.get("/api/thoughts/?search=water"),
        lambda: http.get("/api/thoughts/1/"),
        lambda: http.get("/api/me/thoughts/", token=bruce),
        lambda: http.post("/api/me/thoughts/", **share),
        lambda: http.post("/api/me/thoughts/", **share, headers={"Idempotency-Key": "k"}),
        lambda: http.delete("/api/me/thoughts/1/", token=bruce),
    ]
    started = time.monotonic()

    with ThreadPoolExecutor(len(calls)) as threads:
        answers = list(threads.map(lambda call: call(), calls))

    outcomes = {(answer.status, answer.headers["Retry-After"]) for answer in answers}
    assert outcomes == {(503, "1")}
    assert time.monotonic() - started < SOON_SECONDS


def test_what_took_too_long_is_not_done_later(
    http: HttpClient, locked_table: Sql, bruce: str
) -> None:
    """A thought whose request timed out does not appear when the lock is released."""
    late = http.post("/api/me/thoughts/", token=bruce, json={"text": "late"})
    locked_table.run("ROLLBACK")

    assert late.status == 503
    assert patiently(http.get, "/api/thoughts/").json() == []


def test_busy_pool_answers_in_time(small_pool: HttpClient, locked_table: Sql) -> None:
    """Requests that wait for a connection get 503 as quickly as those that have one."""
    started = time.monotonic()

    with ThreadPoolExecutor(10) as threads:
        statuses = list(threads.map(lambda _: small_pool.get("/api/thoughts/").status, range(10)))

    assert statuses == [503] * 10
    assert time.monotonic() - started < SOON_SECONDS


def test_connections_are_usable_after_the_deadline(
    small_pool: HttpClient, locked_table: Sql
) -> None:
    """When the lock is released, every connection of the pool serves again at once."""
    with ThreadPoolExecutor(10) as threads:
        list(threads.map(lambda _: small_pool.get("/api/thoughts/"), range(10)))
    locked_table.run("ROLLBACK")

    with ThreadPoolExecutor(POOL_SIZE) as threads:
        statuses = list(threads.map(lambda _: small_pool.get("/api/thoughts/").status, range(10)))

    assert statuses == [200] * 10


def test_busy_pool_does_not_make_unready(small_pool: HttpClient, locked_table: Sql) -> None:
    """While all connections wait, the service is alive and ready."""
    # Opening its own connection may take longer than this check may.
    wait_until(lambda: small_pool.get("/readyz").status == 200)
    with ThreadPoolExecutor(POOL_SIZE) as threads:
        waiting = [threads.submit(small_pool.get, "/api/thoughts/") for _ in range(POOL_SIZE)]
        statuses = [small_pool.get(path).status for path in ("/healthz", "/readyz")]

        assert not any(request.done() for request in waiting)

    assert statuses == [200, 200]
