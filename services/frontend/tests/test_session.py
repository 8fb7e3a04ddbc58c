"""Logging in, staying logged in, logging out."""

import time
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from frontend.settings import Settings
from services.frontend.tests.conftest import RunningFrontend
from testkit.bad_tokens import of_another_key_under_a_known_id
from testkit.browser import Browser
from testkit.fake_backend import FakeThoughtsBackend, FakeUsersBackend, Reply
from testkit.token_maker import TokenMaker
from testkit.waiting import wait_until

INVALID = "Invalid login/password, please try again."


@pytest.mark.parametrize("path", ["/", "/thoughts/", "/thoughts"])
def test_own_pages_lead_nobody_to_the_login_page(browser: Browser, path: str) -> None:
    """Visitors who are not logged in are redirected from their own pages to the login page."""
    answer = browser.get(path, follow=False)

    assert answer.status == 302
    assert answer.headers["Location"].startswith("/login/")


@pytest.mark.parametrize("path", ["/login/", "/login"])
def test_login_leads_to_the_own_page(browser: Browser, path: str) -> None:
    """A login with the right password leads to the user's own page."""
    form = browser.get(path).form("/login/")

    page = browser.send(form, username="bruce", password="bruce")

    assert page.status == 200
    assert "What is on your mind, bruce?" in page.words


@pytest.mark.security
def test_session_cookie_is_out_of_reach_of_scripts(browser: Browser) -> None:
    """The session cookie is HttpOnly, SameSite=Lax and lasts as long as the token."""
    form = browser.get("/login/").form("/login/")

    answer = browser.send(form, follow=False, username="bruce", password="bruce")

    cookie = next(c for c in answer.headers.get_all("Set-Cookie", []) if "mythoughts_session=" in c)
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert 3590 <= int(cookie.split("Max-Age=")[1].split(";")[0]) <= 3600


@pytest.mark.parametrize(("username", "password"), [("bruce", "wrong"), ("", ""), ("bruce", "")])
def test_wrong_password_is_told_with_status_200(
    browser: Browser, username: str, password: str
) -> None:
    """After a failed login the form says so, and keeps the name but not the password."""
    form = browser.get("/login/").form("/login/")

    page = browser.send(form, username=username, password=password)

    assert page.status == 200
    assert INVALID in page.words
    assert page.form("/login/").fields["username"] == username
    assert page.form("/login/").fields["password"] == ""
    assert "mythoughts_session" not in browser.cookies


def test_login_leads_back_to_where_one_wanted_to_go(
    browser: Browser, thoughts: FakeThoughtsBackend
) -> None:
    """Login leads to the page that required it."""
    thought_id = thoughts.add("bruce", "Rain")
    form = browser.get(f"/thoughts/{thought_id}/delete").form("/login/")

    page = browser.send(form, username="bruce", password="bruce")

    assert "Delete this thought?" in page.words


@pytest.mark.security
@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://elsewhere.example/",
        "//elsewhere.example/",
        "/\\elsewhere.example/",
        "///elsewhere.example",
        "javascript:alert(1)",
        "elsewhere",
        "/\t/elsewhere.example",
        " /login",
    ],
)
def test_login_does_not_lead_to_other_sites(browser: Browser, elsewhere: str) -> None:
    """A `next` that is not a path of this site is ignored."""
    form = browser.get("/login/").form("/login/")

    answer = browser.send(form, follow=False, username="bruce", password="bruce", next=elsewhere)

    assert answer.headers["Location"] == "/"


def test_logged_in_users_need_no_login_page(bruce: Browser) -> None:
    """The login page redirects logged-in users to their own page."""
    answer = bruce.get("/login/", follow=False)

    assert answer.headers["Location"] == "/"


def test_logout_asks_first(bruce: Browser) -> None:
    """GET of the logout page does not log out."""
    page = bruce.get("/logout/")

    assert "Log out?" in page.words
    assert bruce.get("/").status == 200
    assert "mythoughts_session" in bruce.cookies


def test_logout_ends_the_session(bruce: Browser) -> None:
    """POST to the logout page logs out and says so."""
    form = bruce.get("/logout").forms[-2]

    page = bruce.send(form)

    assert "You are logged out." in page.words
    assert "mythoughts_session" not in bruce.cookies


def test_logout_ends_the_session_everywhere(bruce: Browser, users: FakeUsersBackend) -> None:
    """The Users Backend ends the session, so that a copy of the token is worth nothing."""
    token = bruce.cookies["mythoughts_session"]

    bruce.send(bruce.get("/logout").form("/logout/"))

    assert users.logged_out == {token}


def test_logout_of_a_session_that_has_ended_is_a_logout(
    bruce: Browser, users: FakeUsersBackend
) -> None:
    """If the session has ended elsewhere, there is nothing left to end."""
    users.logged_out.add(bruce.cookies["mythoughts_session"])

    page = bruce.send(bruce.get("/logout").form("/logout/"))

    assert "You are logged out." in page.words
    assert "mythoughts_session" not in bruce.cookies


def test_logout_without_a_session_asks_nobody(browser: Browser, users: FakeUsersBackend) -> None:
    """Who is not logged in logs out without the Users Backend."""
    page = browser.send(browser.get("/logout").form("/logout/"))

    assert "You are logged out." in page.words
    assert users.calls == []


@pytest.mark.parametrize("status", [None, 500, 503, 403, 429])
def test_logout_works_without_the_users_backend(
    bruce: Browser, users: FakeUsersBackend, status: int | None
) -> None:
    """The browser forgets the token in any case; the page says that the session is still open."""
    form = bruce.get("/logout").form("/logout/")
    if status is None:
        users.stop()
    else:
        users.fault = lambda handler, _: handler.reply(Reply(status, {}))

    page = bruce.send(form)

    assert page.status == 200
    assert "the server could not end the session" in page.words
    assert "mythoughts_session" not in bruce.cookies


def test_notice_is_shown_once(bruce: Browser) -> None:
    """A notice is shown only once."""
    bruce.send(bruce.get("/logout/").form("/logout/"))

    page = bruce.get("/login/")

    assert "You are logged out." not in page.words


@pytest.mark.security
@pytest.mark.parametrize("cookie", ["garbage", "a.b.c", "", "%00", "x" * 5000])
def test_garbage_session_cookie_means_logged_out(browser: Browser, cookie: str) -> None:
    """An invalid session cookie is ignored, and left to the program that set it."""
    browser.cookies["mythoughts_session"] = cookie

    page = browser.get("/")

    assert page.status == 200
    assert page.form("/login/")
    assert browser.cookies["mythoughts_session"] == cookie


@pytest.mark.security
def test_expired_token_means_logged_out(browser: Browser, token_maker: TokenMaker) -> None:
    """An expired token is deleted."""
    browser.cookies["mythoughts_session"] = token_maker.token("bruce", exp=int(time.time()) - 120)

    page = browser.get("/")

    assert page.form("/login/")
    assert "mythoughts_session" not in browser.cookies


@pytest.mark.security
@pytest.mark.parametrize("claims", [{"iss": "other"}, {"aud": "other"}, {"sub": "bruce"}])
def test_token_for_others_means_logged_out(
    browser: Browser, token_maker: TokenMaker, claims: dict[str, Any]
) -> None:
    """A token with another issuer or audience, or without a valid user, is not accepted."""
    token = token_maker.token("bruce", **claims)
    browser.cookies["mythoughts_session"] = token

    page = browser.get("/")

    assert page.form("/login/")
    assert browser.cookies["mythoughts_session"] == token


@pytest.mark.parametrize("path", ["/", "/search", "/nowhere", "/logout/"])
def test_token_of_another_installation_is_left_alone(
    browser: Browser, tmp_path: Path, path: str
) -> None:
    """No page deletes the session of another MyThoughts on the same host, with other keys."""
    token = TokenMaker(tmp_path / "other", stranger=True).token("bruce", exp=int(time.time()) - 120)
    browser.cookies["mythoughts_session"] = token

    browser.get(path)
    browser.send(browser.get("/logout/").form("/logout/"))

    assert browser.cookies["mythoughts_session"] == token


def test_cookies_of_other_programs_are_left_alone(browser: Browser) -> None:
    """Cookies with generic names are ignored, and not touched."""
    others = dict.fromkeys(("session", "sessionid", "csrftoken", "language", "notice"), "zh-hans")
    browser.cookies |= others

    page = browser.log_in("bruce")
    browser.send(page.form("/logout/"))

    assert page.headers["Content-Language"] == "en"
    assert others.items() <= browser.cookies.items()


def test_every_cookie_has_a_name_of_ours(browser: Browser) -> None:
    """All cookies have names that no other program on the host uses."""
    form = browser.log_in("bruce").form("/thoughts/new")
    browser.send(browser.get("/search").form("/language/"), language="zh-hans")

    browser.send(form, follow=False, text="Rain")

    names = {name.removeprefix("mythoughts_") for name in browser.cookies}

    assert names == {"session", "device", "csrf", "notice", "language"}


def test_csrf_cookie_is_sent_to_browsers_without_it(browser: Browser) -> None:
    """A browser gets the CSRF cookie with its first page, and another one when it logs in."""
    first, second = browser.get("/login/"), browser.get("/search")
    before = browser.cookies["mythoughts_csrf"]
    browser.send(first.form("/login/"), username="bruce", password="bruce")

    assert "mythoughts_csrf" in first.headers["Set-Cookie"]
    assert "Set-Cookie" not in second.headers
    assert browser.cookies["mythoughts_csrf"] != before


def test_damaged_csrf_cookie_is_replaced(browser: Browser) -> None:
    """A browser whose CSRF cookie is damaged gets a new one, and its forms work."""
    browser.cookies["mythoughts_csrf"] = "damaged"

    page = browser.log_in("bruce")

    assert browser.cookies["mythoughts_csrf"] != "damaged"
    assert page.form("/thoughts/new")


@pytest.mark.security
def test_forged_token_means_logged_out(browser: Browser, token_maker: TokenMaker) -> None:
    """A token signed with another key under the right key's id is not accepted."""
    browser.cookies["mythoughts_session"] = of_another_key_under_a_known_id(token_maker)

    page = browser.get("/")

    assert page.form("/login/")


def test_backend_that_says_401_means_the_login_page(
    bruce: Browser, thoughts: FakeThoughtsBackend, token_maker: TokenMaker
) -> None:
    """When the backend no longer accepts the token, the user is asked to log in."""
    thoughts.accepts_tokens = False

    page = bruce.get("/")

    assert page.form("/login/")
    assert "mythoughts_session" not in bruce.cookies


def test_search_needs_no_valid_session(browser: Browser, thoughts: FakeThoughtsBackend) -> None:
    """An expired session does not prevent searching, and the token is not sent along."""
    thoughts.add("stephen", "Rain")
    browser.cookies["mythoughts_session"] = "garbage"

    page = browser.get("/search?search=rain")

    assert "Rain" in page.words
    assert "authorization" not in thoughts.calls[-1].headers


@pytest.mark.security
def test_login_does_not_show_a_token_in_the_page(browser: Browser, users: FakeUsersBackend) -> None:
    """The token is only in the cookie."""
    page = browser.log_in("bruce")

    assert browser.cookies["mythoughts_session"] not in page.text
    assert len(users.calls) == 1


@pytest.mark.security
@pytest.mark.parametrize("name", ["session", "csrf", "language"])
def test_cookie_that_comes_twice_counts_as_none(
    bruce: Browser, token_maker: TokenMaker, name: str
) -> None:
    """Of two cookies of the same name neither is believed, whichever comes first."""
    bruce.get("/login/")
    own = bruce.cookies.get(f"mythoughts_{name}", "zh-hans")
    foreign = {"session": token_maker.token("mallory"), "csrf": "a" * 32, "language": "zh-hans"}
    form_token = bruce.get("/").form("/thoughts/new").fields["csrfmiddlewaretoken"]
    others = [f"{key}={value}" for key, value in bruce.cookies.items() if name not in key]
    one, two = f"mythoughts_{name}={own}", f"mythoughts_{name}={foreign[name]}"
    bruce.cookies.clear()

    for pair in ([one, two], [two, one]):
        cookies = "; ".join([*others, *pair])
        if name == "csrf":
            fields = {"csrfmiddlewaretoken": form_token, "language": "en"}
            assert bruce.post("/language/", fields, follow=False, Cookie=cookies).status == 403
        elif name == "session":
            assert bruce.get("/", follow=False, Cookie=cookies).headers["Location"] == "/login/"
        else:
            assert bruce.get("/search", Cookie=cookies).headers["Content-Language"] == "en"


@pytest.mark.security
def test_what_belongs_to_a_user_is_not_stored(bruce: Browser, browser: Browser) -> None:
    """A browser stores no page of a user, so that nothing is left of it after a logout."""
    anonymous = Browser(browser.base_url).get("/search")

    assert [bruce.get(path).headers["Cache-Control"] for path in ("/", "/search", "/nothing")] == [
        "no-store"
    ] * 3
    assert anonymous.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.security
def test_ended_session_is_logged_out(bruce: Browser, users: FakeUsersBackend) -> None:
    """Soon after the session has ended elsewhere, the visitor is logged out here."""
    before = bruce.get("/", follow=False).status

    users.ended.add(1)
    wait_until(lambda: bruce.get("/", follow=False).status == 302)

    assert before == 200
    assert "mythoughts_session" not in bruce.cookies


def test_user_at_a_page_of_admins_is_in_the_log(bruce: Browser) -> None:
    """The page is a 403, and the log says who wanted it, and from where."""
    with capture_logs() as log:
        status = bruce.get("/admin/users/").status

    (line,) = [line for line in log if line["event"] == "audit"]
    assert status == 403
    assert (line["what"], line["actor"]) == ("refused", "bruce")
    assert (line["subject"], line["address"]) == ("GET /admin/users/", "127.0.0.1")


def test_pages_of_admins_need_the_list_of_ended_sessions(
    settings: Settings, users: FakeUsersBackend, token_maker: TokenMaker
) -> None:
    """Before the list has come, the pages of admins get 503, and those of users work."""
    users.status_list = lambda: Reply(503)
    running = RunningFrontend(settings)
    browser = Browser(running.url)
    browser.cookies["mythoughts_session"] = token_maker.admin_token()

    for_admins, for_users = (browser.get(path).status for path in ("/admin/users", "/"))
    users.status_list = users.signed_list
    wait_until(lambda: running.knows_ended_sessions)
    afterwards = browser.get("/admin/users").status
    running.stop()

    assert (for_admins, for_users) == (503, 200)
    assert afterwards != 503
