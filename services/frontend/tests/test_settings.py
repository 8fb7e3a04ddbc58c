"""Settings that are rejected at startup."""

import pytest

from frontend.settings import Settings
from mythoughts_chassis.settings import SettingsError, load_settings

GOOD = {
    "TOKEN_PUBLIC_KEYS_PATH": "/run/keys/public.json",
    "THOUGHTS_BACKEND_URL": "http://thoughts-service",
    "USERS_BACKEND_URL": "http://127.0.0.1:8001/",
}


def test_good_settings_are_accepted() -> None:
    """The required settings are enough."""
    settings = load_settings(Settings, GOOD)

    assert settings.thoughts_backend_url == "http://thoughts-service"
    assert not settings.behind_tls


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("THOUGHTS_BACKEND_URL", "thoughts-service"),
        ("THOUGHTS_BACKEND_URL", "ftp://thoughts-service"),
        ("BACKEND_CA_PATH", "/nothing/here.pem"),
        ("BACKEND_CA_PATH", __file__),
        ("USERS_BACKEND_URL", "http://users-service/api"),
        ("USERS_BACKEND_URL", "http://users-service:port"),
        ("USERS_BACKEND_URL", "http://name:secret@users-service"),
        ("USERS_BACKEND_URL", "http://users-service/#part"),
        ("THREADS", "8"),
        ("BACKEND_ANSWER_SECONDS", "-1"),
        ("BEHIND_TLS", "perhaps"),
        ("ALLOWED_HOSTS", ""),
        ("ALLOWED_HOSTS", "a.example,,b.example"),
        ("ALLOWED_HOSTS", "https://a.example"),
        ("ALLOWED_HOSTS", "a.example:8002"),
        ("ALLOWED_HOSTS", "a.example b.example"),
    ],
)
def test_setting_that_cannot_work_is_named(name: str, value: str) -> None:
    """A setting that would break every page is rejected at startup."""
    with pytest.raises(SettingsError, match=name):
        load_settings(Settings, GOOD | {name: value})


@pytest.mark.parametrize("hosts", ["*", ".example.com", "a.example, B.example", "[::1],127.0.0.1"])
def test_names_of_hosts_are_accepted(hosts: str) -> None:
    """Names, all names below a name, addresses, and a star are accepted."""
    assert load_settings(Settings, GOOD | {"ALLOWED_HOSTS": hosts}).allowed_hosts
