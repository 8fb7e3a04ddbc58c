"""Floods of logins against the whole system, from several addresses of this machine."""

import itertools
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from local.stack import temporary_stack
from testkit.browser import Browser
from testkit.http_client import CONNECTION_ERRORS, HttpClient, patiently
from testkit.system import System, User, system_of, unique
from testkit.waiting import repeated, wait_until

pytestmark = pytest.mark.security

FLOODERS = 60
_BROWSERS = (f"198.51.{number >> 8}.{number & 255}" for number in itertools.count())
LOGINS = 15


@pytest.fixture(scope="module")
def local_system() -> Iterator[System]:
    """A system on this machine, which sees from which of its addresses it is asked."""
    with temporary_stack() as stack:
        yield system_of(stack)


@contextmanager
def flood(ask: Callable[[], int | str]) -> Iterator[list[int | str]]:
    """Ask over 60 connections while the block runs; gives the outcomes so far."""
    with repeated(ask, threads=FLOODERS) as outcomes:
        wait_until(lambda: len(outcomes) > 3 * FLOODERS, what="the flood is under way")
        yield outcomes


def api_flooder(system: System, source: str) -> Callable[[], int | str]:
    """A function that logs in wrongly at the API, each time with another name."""
    client = HttpClient(system.users_url, source=source)
    names = itertools.count()

    def ask() -> int | str:
        body = {"username": f"user {next(names)}", "password": "wrong"}
        try:
            return patiently(client.post, "/api/login/", json=body).status
        except CONNECTION_ERRORS as error:
            return type(error).__name__

    return ask


def page_flooder(system: System, source: str, *, claims: bool = False) -> Callable[[], int | str]:
    """A function that logs in wrongly at the login page, each time with another name.

    It can claim to be a proxy, each time for another browser.
    """
    client = HttpClient(system.frontend_url, source=source)
    page = client.get("/login/")
    (form_token,) = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)[:1]
    cookie = {"Cookie": page.headers["Set-Cookie"].partition(";")[0]}
    names = itertools.count()

    def ask() -> int | str:
        headers = cookie | ({"X-Forwarded-For": next(_BROWSERS)} if claims else {})
        fields = {"username": f"user {next(names)}", "password": "wrong"}
        form = fields | {"csrfmiddlewaretoken": form_token}
        try:
            return client.post("/login/", form=form, headers=headers).status
        except CONNECTION_ERRORS as error:
            return type(error).__name__

    return ask


def log_in_on_the_page(system: System, user: User) -> int:
    """Log in as a browser does; return the status of the page after it."""
    browser = Browser(system.frontend_url)
    form = browser.get("/login/").form("/login/")
    page = browser.send(form, username=user.username, password=user.password)
    return page.status if "mythoughts_session" in browser.cookies else -page.status


def log_in_at_the_api(system: System, user: User) -> int:
    """Log in over the API; return the status."""
    body = {"username": user.username, "password": user.password}
    return patiently(system.users().post, "/api/login/", json=body).status


@pytest.mark.parametrize(
    ("flooder", "log_in"),
    [(api_flooder, log_in_at_the_api), (page_flooder, log_in_on_the_page)],
    ids=["API", "login page"],
)
def test_flood_from_one_address_stops_no_login(
    local_system: System,
    flooder: Callable[[System, str], Callable[[], int | str]],
    log_in: Callable[[System, User], int],
    record_property: Callable[[str, object], None],
) -> None:
    """While 60 connections from 127.0.0.2 log in wrongly, logins from 127.0.0.1 succeed."""
    user = local_system.new_user()
    seconds = []
    with flood(flooder(local_system, "127.0.0.2")) as outcomes:
        statuses = []
        for _ in range(LOGINS):
            started = time.monotonic()
            statuses.append(log_in(local_system, user))
            seconds.append(time.monotonic() - started)

    record_property("seconds", sorted(seconds))
    print("slowest", max(seconds), "of", LOGINS, "flood", len(outcomes))
    assert statuses == LOGINS * [200]
    # The Frontend answers 200 to a wrong password.
    assert set(outcomes) <= {200, 401, 429}


def test_browsers_behind_the_frontend_are_many_clients(local_system: System) -> None:
    """An attacker at the Frontend is limited by its own address, not by the Frontend's."""
    ask = page_flooder(local_system, "127.0.0.3")
    attacked = [ask() for _ in range(22)]

    assert attacked == [*(20 * [200]), 429, 429]
    assert log_in_on_the_page(local_system, local_system.new_user(unique("Ana"))) == 200


def test_trusted_proxy_tells_browsers_apart(local_system: System) -> None:
    """Behind a proxy each browser is a client; claims to be a proxy gain nothing."""
    ask = page_flooder(local_system, "127.0.0.4", claims=True)
    claimed = [ask() for _ in range(22)]
    through_proxy = [page_flooder(local_system, "127.0.0.1", claims=True)() for _ in range(22)]

    assert claimed == [*(20 * [200]), 429, 429]
    assert through_proxy == 22 * [200]


def test_page_says_how_long_to_wait(local_system: System) -> None:
    """After five mistakes the page asks to wait for ten seconds, and the API does the same."""
    user = local_system.new_user()
    browser = Browser(local_system.frontend_url)
    for _ in range(6):
        form = browser.get("/login/").form("/login/")
        page = browser.send(form, username=user.username, password="mistyped")
    answer = local_system.users().post(
        "/api/login/", json={"username": user.username, "password": user.password}
    )

    assert page.status == answer.status == 429
    assert "Too many attempts. Please try again in" in page.words
    assert 1 <= int(page.headers["Retry-After"]) <= 10
