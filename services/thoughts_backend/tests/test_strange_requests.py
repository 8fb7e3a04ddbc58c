"""Requests that no client would send."""

import pytest

from services.thoughts_backend.tests.conftest import MakeBackend
from testkit.service_process import ServiceProcess, check_answers_without_a_log
from testkit.strange_requests import check_strange_requests

pytestmark = pytest.mark.security

PATHS = ["/api/thoughts/", "/api/me/thoughts", "/schema/assets"]


def test_any_bytes_are_answered_and_logged_once(make_backend: MakeBackend) -> None:
    """Whatever a request contains, it causes no fault of the service and one log line."""
    # Not the shared backend, which may still log the requests of earlier tests.
    backend = make_backend()
    backend.start()

    check_strange_requests(backend, PATHS, examples=150)


def test_lost_log_takes_no_answer(backend: ServiceProcess) -> None:
    """If the log's reader is gone, lines are lost but requests are answered."""
    check_answers_without_a_log("thoughts_backend", backend.process.environment, "/api/thoughts/")


@pytest.mark.parametrize("disabled", ["true", "false"])
def test_any_bytes_are_traced(make_backend: MakeBackend, disabled: str) -> None:
    """The same holds with tracing, even without a collector."""
    backend = make_backend(
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9", OTEL_SDK_DISABLED=disabled
    )
    backend.start()

    check_strange_requests(backend, PATHS, examples=20)
