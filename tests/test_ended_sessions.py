"""A session that ends is over everywhere within five seconds, and at once in the Users Backend."""

import pytest

from testkit.installations import Installation
from testkit.system import System, User
from testkit.waiting import wait_until

pytestmark = pytest.mark.security


def is_accepted(system: System, service: str, user: User) -> bool:
    """Whether the service believes that this is the user."""
    if service == "frontend":
        return system.frontend(user).get("/").status == 200
    path = {"thoughts": "/api/me/thoughts/", "users": "/api/me/"}[service]
    return system.client(service, user).get(path).status == 200


def wait_until_refused(system: System, service: str, user: User) -> None:
    """Wait until it does so no more; a busy machine may take longer than five seconds."""
    wait_until(lambda: not is_accepted(system, service, user))


@pytest.mark.parametrize("service", ["thoughts", "frontend"])
def test_logout_holds_everywhere(system: System, service: str) -> None:
    """After a logout the token is refused, while the user's other session stays open."""
    user = system.new_user()
    other = User(user.id, user.username, user.password, system.log_in(user.username, user.password))
    before = is_accepted(system, service, user)

    assert system.users(user).post("/api/logout/").status == 204
    at_once = is_accepted(system, "users", user)
    wait_until_refused(system, service, user)

    assert (before, at_once) == (True, False)
    assert is_accepted(system, service, other)


def test_deleted_user_is_out_everywhere(system: System) -> None:
    """The tokens of a deleted user are refused by all services."""
    user = system.new_user()

    assert system.users(system.admin).request("DELETE", f"/admin/users/{user.id}/").status == 204

    assert not is_accepted(system, "users", user)
    for service in ("thoughts", "frontend"):
        wait_until_refused(system, service, user)


@pytest.mark.faults
def test_ended_session_stays_ended_without_the_users_backend(
    installation: Installation, own_system: System
) -> None:
    """With the Users Backend stopped, what has ended stays ended, and users keep working."""
    user, gone = own_system.new_user(), own_system.new_user()
    own_system.users(gone).post("/api/logout/")
    for service in ("thoughts", "frontend"):
        wait_until_refused(own_system, service, gone)

    installation.stop("users")

    for service in ("thoughts", "frontend"):
        assert not is_accepted(own_system, service, gone)
        assert is_accepted(own_system, service, user)
