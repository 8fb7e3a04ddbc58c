"""No secret is in a log or a page, whatever is sent and whatever fails.

The logs of the system that all tests of this folder share are searched as well, when it stops.
"""

from collections.abc import Iterator

import pytest

from local.stack import Stack, temporary_stack
from testkit.browser import Browser, Page
from testkit.leaks import known_secrets, leaks_in, leaks_in_logs
from testkit.system import PASSWORD_MARK, System, User, system_of, unique
from testkit.waiting import wait_until

pytestmark = pytest.mark.security

READABLE = ("/", "/search", "/account/", "/account/sessions/", "/account/export/thoughts.json")
ADMINS = ("/admin/users/", "/admin/thoughts/", "/admin/audit/", "/admin/audit/?of=thoughts")


@pytest.fixture
def stack() -> Iterator[Stack]:
    """A system of this test's own, whose logs hold nothing else."""
    with temporary_stack({"REGISTRATION": "open"}) as stack:
        yield stack


def password() -> str:
    """A password that is found wherever it goes."""
    return unique(PASSWORD_MARK)


def logged_in(system: System, user: User) -> Browser:
    """A browser in which a user is logged in."""
    browser = Browser(system.frontend_url)
    browser.cookies["mythoughts_session"] = system.log_in(user.username, user.password)
    return browser


def pages_with_passwords(browser: Browser, user: User) -> Iterator[Page]:
    """Send each form of one's own account that takes passwords, right and wrong."""
    form = browser.get("/account/password/").form("/account/password/")
    for typed, repeated in ((password(), password()), ("short", "short")):
        yield browser.send(form, password=user.password, new_password=typed, repeated=repeated)
    chosen = password()
    yield browser.send(form, password=password(), new_password=chosen, repeated=chosen)
    form = browser.get("/account/delete/").form("/account/delete/")
    yield browser.send(form, password=password())
    stranger = Browser(browser.base_url)
    form = stranger.get("/login/").form("/login/")
    yield stranger.send(form, username=user.username, password=password())
    # People type their password where the name belongs.
    yield stranger.send(form, username="somebody", password=password())
    form = stranger.get("/register/").form("/register/")
    yield stranger.send(form, username=user.username, password=password(), repeated=password())


def pages_of_admins(browser: Browser, user: User) -> Iterator[Page]:
    """Everything that admins read and change, but the pages that show a temporary password."""
    form = browser.get(f"/admin/users/{user.id}/").form(f"/admin/users/{user.id}/")
    for action in ("disable", "enable", "end-sessions"):
        yield browser.send(form, action=action)
    browser.send(form, action="reset-password")
    yield from map(browser.get, ADMINS)


def test_nothing_secret_is_written_or_shown(stack: Stack) -> None:
    """Logins, changes and administration, with and without the database, reveal no secret."""
    system = system_of(stack)
    user, admin = system.new_user(), system.admin
    browser, admins = logged_in(system, user), logged_in(system, admin)
    pages = [*map(browser.get, READABLE), *pages_with_passwords(browser, user)]
    stack.postgres.stop()
    pages += [*map(browser.get, READABLE), *map(admins.get, ADMINS)]
    for client in (system.users(user), system.thoughts(user)):
        for token in (user.token, user.token + "x", f"{PASSWORD_MARK} 0123456789ab"):
            client.get("/api/me/", token=token)
    body = {"username": user.username, "password": user.password, "new_password": password()}
    assert system.users().post("/api/login/", json=body).status == 503
    stack.postgres.start()
    stack.restart("thoughts", "users", "frontend")
    wait_until(lambda: admins.get(ADMINS[0]).status == 200)
    pages += pages_of_admins(admins, user)

    secrets = [*known_secrets(stack), user.token]
    assert len(pages) > 20
    assert [leak for page in pages for leak in leaks_in(page.text, secrets)] == []
    assert leaks_in_logs(stack) == []


@pytest.mark.parametrize(
    "text",
    [
        "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA",
        "Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIzIn0x.c2lnbmF0dXJlMDA",
        f"{PASSWORD_MARK} 0123456789ab",
        "the known one",
    ],
)
def test_leaks_are_noticed(text: str) -> None:
    """The search sees hashes, tokens, the tests' passwords, and known secrets."""
    assert list(leaks_in(f"error: {text}", ["known one"])) != []
