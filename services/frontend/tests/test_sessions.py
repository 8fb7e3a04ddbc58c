"""The page of one's own sessions."""

import pytest

from testkit.browser import Browser
from testkit.fake_backend import FakeUsersBackend

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
)


@pytest.mark.parametrize(
    "path", ["/account/sessions/", "/account/sessions/1/end", "/account/sessions/end-others"]
)
def test_sessions_need_a_login(browser: Browser, path: str) -> None:
    """Visitors who are not logged in get the login page."""
    assert browser.get(path).form("/login/")


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (FIREFOX, "Firefox, Linux"),
        (SAFARI, "Mobile Safari, iOS"),
        ("My program/1.0", "My program/1.0"),
        ("x" * 200, "x" * 60 + "…"),
        ("", "Unknown program"),
        ("<script>", "<script>"),
    ],
)
def test_session_names_its_browser(
    bruce: Browser, users: FakeUsersBackend, user_agent: str, words: str
) -> None:
    """A browser is named in short words, another program as it calls itself."""
    users.add_session(user_agent)

    page = bruce.get(bruce.get("/account/").link("Sessions"))

    assert f"{words} Since: 11 May 1962 · Until: 10 Jun 1962" in page.words


def test_this_browser_is_marked_and_has_no_button(bruce: Browser, users: FakeUsersBackend) -> None:
    """The session that asks is marked; it is ended by logging out."""
    users.add_session(FIREFOX, current=True)
    users.add_session(SAFARI)

    page = bruce.get("/account/sessions/")

    assert "Firefox, Linux This browser" in page.words
    ends = [form.action for form in page.forms if form.action.endswith("/end")]
    assert ends == ["/account/sessions/2/end"]


def test_session_is_ended(bruce: Browser, users: FakeUsersBackend) -> None:
    """One session is ended, and the page says so."""
    users.add_session(FIREFOX, current=True)
    users.add_session(SAFARI)
    users.add_session("third")

    page = bruce.send(bruce.get("/account/sessions/").form("/account/sessions/2/end"))

    assert [session["id"] for session in users.sessions] == [1, 3]
    assert "The session has ended." in page.words


def test_other_sessions_are_ended(bruce: Browser, users: FakeUsersBackend) -> None:
    """All other sessions are ended at once, and the page says so."""
    users.add_session(FIREFOX)
    users.add_session(SAFARI, current=True)
    users.add_session("third")

    page = bruce.send(bruce.get("/account/sessions/").form("/account/sessions/end-others"))

    assert [session["id"] for session in users.sessions] == [2]
    assert "All other sessions have ended." in page.words


@pytest.mark.parametrize("path", ["/account/sessions/1/end", "/account/sessions/end-others"])
def test_link_ends_no_session(bruce: Browser, users: FakeUsersBackend, path: str) -> None:
    """GET of the addresses that end sessions leads to the list, and ends nothing."""
    users.add_session(SAFARI)

    page = bruce.get(path)

    assert "Mobile Safari, iOS" in page.words
    assert len(users.sessions) == 1


def test_sessions_have_pages(bruce: Browser, users: FakeUsersBackend) -> None:
    """Twenty sessions are on a page; the links lead to older ones and back."""
    for number in range(45):
        users.add_session(f"program {number}")

    second = bruce.get(bruce.get("/account/sessions/").link("Older"))
    first = bruce.get(second.link("Newer"))

    assert "program 24 " in second.words
    assert "program 25 " not in second.words
    assert "program 44 " in first.words


def test_users_backend_that_is_away_has_a_page(bruce: Browser, users: FakeUsersBackend) -> None:
    """Without the Users Backend the page says that it is temporarily unavailable."""
    users.stop()

    page = bruce.get("/account/sessions/")

    assert page.status == 503
    assert "Temporarily unavailable" in page.words
