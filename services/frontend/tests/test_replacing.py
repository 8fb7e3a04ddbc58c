"""Replacing the process under a supervisor, which keeps the listening socket."""

from frontend.settings import Settings
from testkit.service_process import MakeProcess
from testkit.supervised import check_replaced_process, replace_under_load, supervisor_of


def test_no_request_is_lost(settings: Settings) -> None:
    """While processes replace each other, every request is answered."""
    environment = {
        "TOKEN_PUBLIC_KEYS_PATH": str(settings.token_public_keys_path),
        "THOUGHTS_BACKEND_URL": settings.thoughts_backend_url,
        "USERS_BACKEND_URL": settings.users_backend_url,
    }
    with supervisor_of(["-m", "frontend"], environment) as service:
        service.start()
        failures = replace_under_load(service, "/healthz", times=3)

    assert failures == []


def test_replaced_process_ends_with_its_last_connection(make_process: MakeProcess) -> None:
    """It answers on the connections that it has, and does not wait for others."""
    check_replaced_process(make_process(DRAIN_SECONDS="60"))
