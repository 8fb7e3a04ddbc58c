"""Which lists come from a replica, as seen from outside."""

from collections.abc import Iterator

import pytest

from services.thoughts_backend.tests.conftest import MakeBackend
from testkit.http_client import HttpClient
from testkit.own_server import OwnReplica
from testkit.service_process import ServiceProcess
from testkit.waiting import wait_until

Lagging = tuple[HttpClient, int]


@pytest.fixture
def backend(both: OwnReplica, make_backend: MakeBackend) -> ServiceProcess:
    """A backend that has a replica."""
    backend = make_backend(DATABASE_URL=both.url, DATABASE_REPLICA_URL=both.replica_url)
    backend.start()
    return backend


@pytest.fixture
def lagging(both: OwnReplica, backend: ServiceProcess, bruce: str) -> Iterator[Lagging]:
    """A client, and the id of a thought by bruce that the replica does not have yet."""
    both.hold_back()
    answer = backend.http.post("/api/me/thoughts/", token=bruce, json={"text": "Be water."})
    yield backend.http, answer.json()["id"]
    both.let_go()


def ids_of(http: HttpClient, path: str, token: str | None = None) -> list[int]:
    """The ids of a list."""
    return [thought["id"] for thought in http.get(path, token=token).json()]


@pytest.mark.parametrize(
    "path", ["/api/thoughts/", "/api/thoughts/?search=water", "/api/thoughts/?username=bruce"]
)
def test_everybodys_thoughts_are_read_from_the_replica(lagging: Lagging, path: str) -> None:
    """Everybody's thoughts are listed and searched on the replica, which may lag."""
    http, thought_id = lagging

    assert thought_id not in ids_of(http, path)


@pytest.mark.parametrize("path", ["/api/me/thoughts/", "/api/me/thoughts/?search=water"])
def test_own_thoughts_are_read_from_the_primary(lagging: Lagging, bruce: str, path: str) -> None:
    """A user finds a newly shared thought among their own at once."""
    http, thought_id = lagging

    assert thought_id in ids_of(http, path, bruce)


def test_one_thought_is_read_from_the_primary(lagging: Lagging) -> None:
    """The address of a new thought works at once."""
    http, thought_id = lagging

    assert http.get(f"/api/thoughts/{thought_id}/").status == 200


def test_replica_takes_over_what_is_shared(
    both: OwnReplica, backend: ServiceProcess, bruce: str
) -> None:
    """A moment later everybody finds the thought."""
    answer = backend.http.post("/api/me/thoughts/", token=bruce, json={"text": "Be water."})

    both.wait_for_replica()

    assert ids_of(backend.http, "/api/thoughts/")[0] == answer.json()["id"]


def test_backend_works_on_without_its_replica(both: OwnReplica, backend: ServiceProcess) -> None:
    """When the replica is down, lists work, the backend stays ready, and the log says so."""
    before = backend.http.get("/api/thoughts/").status
    both.replica.process.kill()

    after = [backend.http.get("/api/thoughts/").status for _ in range(5)]

    assert {before, *after} == {200}
    wait_until(lambda: backend.http.get("/readyz").status == 200)
    backend.wait_for_line("database unavailable", role="replica")
    assert len(backend.lines("database unavailable", role="replica")) == 1


def test_pools_have_metrics_of_their_own(backend: ServiceProcess) -> None:
    """The metrics distinguish the two pools."""
    backend.http.get("/api/thoughts/")

    def lines() -> list[str]:
        return backend.http.get("/metrics").text.splitlines()

    # Housekeeping, which begins with the backend, may still use a connection.
    wait_until(lambda: 'database_pool_connections_in_use{role="primary"} 0.0' in lines())
    assert 'database_pool_connections_open{role="replica"} 1.0' in lines()
