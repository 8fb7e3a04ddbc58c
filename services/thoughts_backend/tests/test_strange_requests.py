"""Requests that no client would send."""

import pytest

from chassis.tests.lost_log import check_answers_without_a_log
from chassis.tests.service_process import ServiceProcess
from chassis.tests.strange_requests import check_strange_requests
from services.thoughts_backend.tests.conftest import MakeBackend

PATHS = ["/api/thoughts/", "/api/me/thoughts", "/schema/assets"]


def test_any_bytes_are_answered_and_logged_once(backend: ServiceProcess) -> None:
    """Whatever a request holds, it is no fault of the service, and leaves one line in the log."""
    check_strange_requests(backend, PATHS, examples=150)


def test_lost_log_takes_no_answer(backend: ServiceProcess) -> None:
    """Where nobody reads the log any more, its lines are lost and requests are answered."""
    check_answers_without_a_log("thoughts_backend", backend.process.environment, "/api/thoughts/")


@pytest.mark.parametrize("disabled", ["true", "false"])
def test_any_bytes_are_traced(make_backend: MakeBackend, disabled: str) -> None:
    """The same holds where requests are traced, though nobody collects the traces."""
    backend = make_backend(
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9", OTEL_SDK_DISABLED=disabled
    )
    backend.start()

    check_strange_requests(backend, PATHS, examples=20)
