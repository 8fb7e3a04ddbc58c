"""Replacing the process under a supervisor, which keeps the listening socket."""

from frontend.settings import Settings
from testkit.supervised import replace_under_load, supervisor_of


def test_no_connection_is_lost(settings: Settings) -> None:
    """While processes replace each other, every new connection is answered."""
    environment = {
        "TOKEN_PUBLIC_KEYS_PATH": str(settings.token_public_keys_path),
        "THOUGHTS_BACKEND_URL": settings.thoughts_backend_url,
        "USERS_BACKEND_URL": settings.users_backend_url,
    }
    with supervisor_of(["-m", "frontend"], environment) as service:
        service.start()
        failures = replace_under_load(service, "/healthz", times=3)

    assert failures == []
