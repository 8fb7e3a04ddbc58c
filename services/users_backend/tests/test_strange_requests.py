"""Requests that no client would send."""

from chassis.tests.lost_log import check_answers_without_a_log
from chassis.tests.service_process import ServiceProcess
from chassis.tests.strange_requests import check_strange_requests

PATHS = ["/api/login", "/api/me", "/admin/users"]


def test_any_bytes_are_answered_and_logged_once(backend: ServiceProcess) -> None:
    """Whatever a request holds, it is no fault of the service, and leaves one line in the log."""
    check_strange_requests(backend, PATHS, examples=150)


def test_lost_log_takes_no_answer(backend: ServiceProcess) -> None:
    """Where nobody reads the log any more, its lines are lost and requests are answered."""
    check_answers_without_a_log(
        "users_backend", backend.process.environment, "/.well-known/jwks.json"
    )
