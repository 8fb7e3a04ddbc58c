"""Replacing the process under a supervisor, which keeps the listening socket."""

from services.thoughts_backend.tests.conftest import MakeBackend
from testkit.supervised import check_replaced_process, replace_under_load, supervisor_of


def test_no_request_is_lost(backend_settings: dict[str, str]) -> None:
    """While processes replace each other, every request is answered."""
    with supervisor_of(["-m", "thoughts_backend"], backend_settings) as service:
        service.start()
        failures = replace_under_load(service, "/api/thoughts/", times=3)

    assert failures == []


def test_replaced_process_ends_with_its_last_connection(make_backend: MakeBackend) -> None:
    """It answers on the connections that it has, and does not wait for others."""
    check_replaced_process(make_backend(DRAIN_SECONDS="60"))
