"""Replacing the process under a supervisor, which keeps the listening socket."""

from testkit.supervised import replace_under_load, supervisor_of


def test_no_connection_is_lost(backend_settings: dict[str, str]) -> None:
    """While processes replace each other, every new connection is answered."""
    with supervisor_of(["-m", "thoughts_backend"], backend_settings) as service:
        service.start()
        failures = replace_under_load(service, "/api/thoughts/", times=3)

    assert failures == []
