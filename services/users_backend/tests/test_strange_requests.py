"""Requests that no client would send."""

import pytest

from services.users_backend.tests.conftest import MakeBackend
from testkit.service_process import ServiceProcess, check_answers_without_a_log
from testkit.strange_requests import check_strange_requests

pytestmark = pytest.mark.security

PATHS = ["/api/login", "/api/me", "/admin/users"]


def test_any_bytes_are_answered_and_logged_once(make_backend: MakeBackend) -> None:
    """Whatever a request contains, it causes no fault of the service and one log line."""
    # Not the shared backend, which may still log the requests of earlier tests.
    backend = make_backend()
    backend.start()

    check_strange_requests(backend, PATHS, examples=150)


def test_lost_log_takes_no_answer(backend: ServiceProcess) -> None:
    """If the log's reader is gone, lines are lost but requests are answered."""
    check_answers_without_a_log(
        "users_backend", backend.process.environment, "/.well-known/jwks.json"
    )
