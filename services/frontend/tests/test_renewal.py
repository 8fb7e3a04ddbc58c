"""Staying logged in: a token is renewed while the pages are used."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from testkit.browser import Browser
from testkit.fake_backend import FakeThoughtsBackend, FakeUsersBackend, Handler, Reply
from testkit.token_maker import LIFETIME_SECONDS, TokenMaker

RENEWAL = ("POST", "/api/me/token/")


def token_of_age(maker: TokenMaker, age: float, **claims: Any) -> str:
    """A token of bruce that has used up this part of its life."""
    issued_at = int(time.time() - age * LIFETIME_SECONDS)
    return maker.token("bruce", iat=issued_at, exp=issued_at + LIFETIME_SECONDS, **claims)


@pytest.fixture
def old(browser: Browser, token_maker: TokenMaker) -> str:
    """A token that is due to be renewed, with which the browser is logged in."""
    token = browser.cookies["mythoughts_session"] = token_of_age(token_maker, 0.15)
    return token


def renewals(users: FakeUsersBackend) -> list[str | None]:
    """The tokens for which new ones were asked."""
    return [call.token for call in users.calls if (call.method, call.path) == RENEWAL]


@pytest.mark.parametrize("path", ["/", "/search", "/thoughts/1/delete", "/logout", "/nowhere"])
def test_token_past_a_tenth_of_its_life_is_renewed(
    browser: Browser, users: FakeUsersBackend, old: str, path: str
) -> None:
    """Any page renews such a token, once, and the cookie lives as long as the new one."""
    page = browser.get(path, follow=False)
    browser.get(path, follow=False)

    assert renewals(users) == [old]
    assert browser.cookies["mythoughts_session"] != old
    (cookie,) = [c for c in page.headers.get_all("Set-Cookie", []) if "session=" in c]
    max_age = int(cookie.partition("Max-Age=")[2].partition(";")[0])
    assert abs(max_age - LIFETIME_SECONDS) < 60


def test_page_is_made_with_the_new_token(
    browser: Browser, thoughts: FakeThoughtsBackend, old: str
) -> None:
    """The page that renews a token already uses the new one."""
    page = browser.get("/")

    assert page.status == 200
    assert thoughts.calls[-1].token == browser.cookies["mythoughts_session"]
    assert thoughts.calls[-1].token != old


def test_young_token_is_kept(
    browser: Browser, users: FakeUsersBackend, token_maker: TokenMaker
) -> None:
    """In the first tenth of a token's life nothing is asked."""
    token = browser.cookies["mythoughts_session"] = token_of_age(token_maker, 0.05)

    browser.get("/")

    assert users.calls == []
    assert browser.cookies["mythoughts_session"] == token


def test_form_that_was_typed_for_long_renews_the_token(
    browser: Browser,
    users: FakeUsersBackend,
    thoughts: FakeThoughtsBackend,
    token_maker: TokenMaker,
) -> None:
    """What is sent is done with the new token: nobody is thrown out while typing."""
    form = browser.log_in("bruce").form("/thoughts/new")
    token = browser.cookies["mythoughts_session"] = token_of_age(token_maker, 0.9)

    page = browser.send(form, follow=False, text="Rain")

    assert page.status == 302
    assert renewals(users) == [token]
    assert browser.cookies["mythoughts_session"] not in (token, "")
    assert thoughts.calls[-1].token == browser.cookies["mythoughts_session"]


def test_logout_ends_the_session_of_a_renewed_token(
    browser: Browser, users: FakeUsersBackend, token_maker: TokenMaker
) -> None:
    """A logout that renews the token leaves no cookie, and ends the session."""
    form = browser.log_in("bruce").form("/logout/")
    token = browser.cookies["mythoughts_session"] = token_of_age(token_maker, 0.9)

    browser.send(form, follow=False)

    assert renewals(users) == [token]
    assert len(users.logged_out) == 1
    assert "mythoughts_session" not in browser.cookies


def test_visitors_renew_nothing(browser: Browser, users: FakeUsersBackend) -> None:
    """Who is not logged in has nothing to renew."""
    browser.get("/search")

    assert users.calls == []


FAULTS = {
    "500": Reply(500, {}),
    "401": Reply(401, {}),
    "429": Reply(429, {}),
    "no token": Reply(200, {"Authorized": "Basic x"}),
    "garbage": Reply(200, ["?"]),
    "a token that is not valid": Reply(200, {"Authorized": "Bearer a.b.c"}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_failed_renewal_changes_nothing(
    browser: Browser, users: FakeUsersBackend, old: str, fault: str
) -> None:
    """Without a new token the page is shown, with the token that the browser has."""
    users.fault = lambda handler, _: handler.reply(FAULTS[fault])

    page = browser.get("/")

    assert page.form("/thoughts/new")
    assert browser.cookies["mythoughts_session"] == old


def test_pages_wait_once_for_a_users_backend_that_is_away(
    browser: Browser, users: FakeUsersBackend, old: str
) -> None:
    """After a failed renewal no other is tried for a while: pages must not wait for it."""

    def hang_up(handler: Handler, _: object) -> None:
        handler.send_raw(b"")

    users.fault = hang_up

    pages = [browser.get("/") for _ in range(4)]

    assert [page.status for page in pages] == [200, 200, 200, 200]
    assert renewals(users) == [old]


def test_two_tabs_at_once_do_no_harm(
    browser: Browser, users: FakeUsersBackend, thoughts: FakeThoughtsBackend, old: str
) -> None:
    """Two pages that renew the same token are both shown, and the last cookie is valid."""
    tabs = [Browser(browser.base_url), Browser(browser.base_url)]
    for tab in tabs:
        tab.cookies["mythoughts_session"] = old

    with ThreadPoolExecutor() as pool:
        pages = list(pool.map(lambda tab: tab.get("/"), tabs))

    assert renewals(users) == [old, old]
    assert all(page.form("/thoughts/new") for page in pages)
    new = {tab.cookies["mythoughts_session"] for tab in tabs}
    assert {call.token for call in thoughts.calls} == new
    assert old not in new
