"""Faults that an admin sets on purpose, where FAULT_SWITCHES allows it."""

import time

import pytest

from testkit.http_client import HttpClient
from testkit.service_process import MakeProcess, ServiceProcess
from testkit.thoughts_sql import Sql
from testkit.waiting import wait_until

pytestmark = pytest.mark.security

FAULTS = "/admin/faults/"


@pytest.fixture
def switched(make_backend: MakeProcess, sql: Sql, admin: str) -> ServiceProcess:
    """A backend with FAULT_SWITCHES, and without faults."""
    backend = make_backend(FAULT_SWITCHES="true")
    backend.start()
    wait_until(lambda: set_faults(backend.http, admin) == 200, what="faults can be set")
    return backend


def set_faults(http: HttpClient, token: str | None, **faults: float) -> int:
    """Set the faults; returns the status of the response."""
    return http.post(FAULTS, token=token, json=faults).status


def statuses(http: HttpClient, count: int) -> list[int]:
    """The statuses of requests, one after the other."""
    return [http.get("/api/thoughts/").status for _ in range(count)]


def test_part_of_the_requests_fails(switched: ServiceProcess, admin: str) -> None:
    """At a rate of 0.25 every fourth request gets a 500, with a problem as its body."""
    set_faults(switched.http, admin, error_rate=0.25)

    assert statuses(switched.http, 8) == [200, 200, 200, 500] * 2


def test_failed_request_has_a_problem_as_its_body(switched: ServiceProcess, admin: str) -> None:
    """It cannot be told from a real fault, and has the id by which logs find it."""
    set_faults(switched.http, admin, error_rate=1)

    answer = switched.http.get("/api/thoughts/")

    assert answer.json()["title"] == "Internal Server Error"
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]


def test_requests_are_delayed(switched: ServiceProcess, admin: str) -> None:
    """Each response takes as long as was set, at least."""
    set_faults(switched.http, admin, delay_seconds=0.3)

    started = time.monotonic()
    switched.http.get("/api/thoughts/")

    assert time.monotonic() - started >= 0.3


def test_faults_can_always_be_ended(switched: ServiceProcess, admin: str) -> None:
    """The switch itself is spared, and what is left out is off."""
    set_faults(switched.http, admin, delay_seconds=60, error_rate=1)

    assert set_faults(switched.http, admin) == 200
    assert statuses(switched.http, 2) == [200, 200]


def test_health_checks_are_spared(switched: ServiceProcess, admin: str) -> None:
    """A pod that is made to fail is neither restarted nor left without requests."""
    set_faults(switched.http, admin, error_rate=1)

    for path in ("/healthz", "/readyz", "/metrics"):
        assert switched.http.get(path).status == 200


def test_faults_are_recorded(switched: ServiceProcess, admin: str) -> None:
    """The audit log says who set which faults."""
    set_faults(switched.http, admin, error_rate=0.5)
    set_faults(switched.http, admin)

    _, entry, *_ = switched.http.get("/admin/audit/", token=admin).json()
    assert (entry["event"], entry["actor"]) == ("faults set", "admin")
    assert entry["subject"] == "delay 0 s, error rate 0.5"


@pytest.mark.parametrize("faults", [{"error_rate": 1.1}, {"error_rate": -1}, {"delay_seconds": 61}])
def test_odd_faults_are_refused(
    switched: ServiceProcess, admin: str, faults: dict[str, float]
) -> None:
    """A rate is from 0 to 1, and a delay at most a minute."""
    assert set_faults(switched.http, admin, **faults) == 400


def test_only_admins_set_faults(switched: ServiceProcess, bruce: str) -> None:
    """Neither strangers nor other users can."""
    assert set_faults(switched.http, None, error_rate=1) == 401
    assert set_faults(switched.http, bruce, error_rate=1) == 403
    assert statuses(switched.http, 2) == [200, 200]


def test_faults_are_refused_without_the_setting(http: HttpClient, admin: str) -> None:
    """In production not even an admin can, and nothing is recorded."""
    assert set_faults(http, admin, error_rate=1) == 403
    assert statuses(http, 2) == [200, 200]
    assert http.get("/admin/audit/", token=admin).json() == []
