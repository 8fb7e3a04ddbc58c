"""Tokens of sessions that have ended, and what happens while nobody says which these are."""

from collections.abc import Iterator

import pytest

from services.thoughts_backend.tests.conftest import MakeBackend, knows_ended_sessions
from testkit.fake_backend import FakeEndedSessions
from testkit.service_process import ServiceProcess
from testkit.token_maker import TokenMaker
from testkit.waiting import wait_until

pytestmark = pytest.mark.security


@pytest.fixture
def publisher(token_maker: TokenMaker) -> Iterator[FakeEndedSessions]:
    """What stands in for the Users Backend, for one test."""
    publisher = FakeEndedSessions(token_maker)
    yield publisher
    publisher.stop()


@pytest.fixture
def own_backend(make_backend: MakeBackend, publisher: FakeEndedSessions) -> ServiceProcess:
    """A backend that asks `publisher`, not started."""
    return make_backend(USERS_BACKEND_URL=publisher.url)


@pytest.mark.usefixtures("sql")
def test_ended_session_is_refused(
    own_backend: ServiceProcess, publisher: FakeEndedSessions, token_maker: TokenMaker
) -> None:
    """Soon after its session has ended, a token gets 401; one of another session does not."""
    own_backend.start()
    first, second = (token_maker.token("bruce", sid=str(number)) for number in (21, 22))

    def status(token: str) -> int:
        return own_backend.http.get("/api/me/thoughts", token=token).status

    before = status(first)
    publisher.ended.add(21)
    wait_until(lambda: status(first) == 401)

    assert (before, status(second)) == (200, 200)
    challenge = own_backend.http.get("/api/me/thoughts", token=first).headers["WWW-Authenticate"]
    assert challenge == 'Bearer error="invalid_token"'


@pytest.mark.usefixtures("sql")
def test_without_a_list_only_admins_are_refused(
    own_backend: ServiceProcess,
    publisher: FakeEndedSessions,
    token_maker: TokenMaker,
    admin: str,
    bruce: str,
) -> None:
    """While no list has come, admins get 503 for what only they may do, and users notice nothing.

    It ends when the list comes.
    """
    publisher.stop()
    own_backend.start()
    http = own_backend.http

    by_admin = http.request("DELETE", "/admin/thoughts/1", token=admin)
    by_user = http.get("/api/me/thoughts", token=bruce).status
    own_by_admin = http.get("/api/me/thoughts", token=admin).status
    by_stranger = http.request("DELETE", "/admin/thoughts/1", token=bruce).status
    publisher.start()
    wait_until(lambda: knows_ended_sessions(http, token_maker))

    assert by_admin.status == 503
    assert by_admin.headers["Retry-After"] == "1"
    assert "ended" in by_admin.json()["detail"]
    assert (by_user, own_by_admin, by_stranger) == (200, 200, 403)


def test_every_admin_endpoint_needs_the_list(
    own_backend: ServiceProcess, publisher: FakeEndedSessions, admin: str
) -> None:
    """No endpoint below /admin answers an admin without a list."""
    publisher.stop()
    own_backend.start()
    http = own_backend.http
    paths = http.get("/schema/openapi.json").json()["paths"]
    below_admin = [
        (method.upper(), path.replace("{thought_id}", "1").replace("{user_id}", "1"))
        for path, operations in paths.items()
        if path.startswith("/admin/")
        for method in operations
    ]

    assert below_admin
    for method, path in below_admin:
        assert http.request(method, path, token=admin).status == 503, path


def test_log_says_that_the_list_does_not_come(
    own_backend: ServiceProcess, publisher: FakeEndedSessions
) -> None:
    """The log says once why the list does not come, and once that it has come again."""
    publisher.stop()
    own_backend.start()

    line = own_backend.wait_for_line("ended sessions unknown")
    publisher.start()
    own_backend.wait_for_line("ended sessions known again")

    assert "ConnectionRefusedError" in line["reason"]
    assert len(own_backend.lines("ended sessions unknown")) == 1
