"""Backends that fail in various ways: the page says so and nothing is lost."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from frontend.settings import Settings
from testkit.browser import Browser, Form
from testkit.fake_backend import (
    Call,
    FakeBackend,
    FakeThoughtsBackend,
    FakeUsersBackend,
    Handler,
    Reply,
)

SHARE = "/thoughts/new"
NOT_SHARED = "Your thought cannot be shared at the moment."
NOT_SHOWN = "Your thoughts cannot be shown at the moment."
NO_SEARCH = "Thoughts cannot be searched at the moment."
NO_LOGIN = "You cannot log in at the moment."

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def _raw(answer: bytes) -> Callable[[FakeBackend], None]:
    def misbehave(backend: FakeBackend) -> None:
        backend.fault = lambda handler, _: handler.send_raw(answer)

    return misbehave


def _replies(status: int, body: object) -> Callable[[FakeBackend], None]:
    def misbehave(backend: FakeBackend) -> None:
        backend.fault = lambda handler, _: handler.reply(Reply(status, body))

    return misbehave


def _drip(backend: FakeBackend) -> None:
    """Send an endless head byte by byte, too fast for a socket's timeout."""

    def send_slowly(handler: Handler, call: Call) -> None:
        handler.wfile.write(HEAD + b"X-Header: ")
        while not backend.released.wait(0.1):
            handler.wfile.write(b"x")
        handler.close_connection = True

    backend.fault = send_slowly


def _drip_body(backend: FakeBackend) -> None:
    """Send the head at once and the body byte by byte."""

    def send_slowly(handler: Handler, call: Call) -> None:
        handler.wfile.write(HEAD + b"Content-Length: 1000\r\n\r\n")
        while not backend.released.wait(0.1):
            handler.wfile.write(b" ")
        handler.close_connection = True

    backend.fault = send_slowly


FAULTS: dict[str, Callable[[FakeBackend], None]] = {
    "stalls": FakeBackend.stall,
    "refuses connections": FakeBackend.stop,
    "500": _replies(500, {"detail": "broken"}),
    "503": _replies(503, {"detail": "no database"}),
    "404": _replies(404, {"detail": "another service"}),
    "no HTTP": _raw(b"\x00\xffgarbage\r\n\r\n"),
    "closes at once": _raw(b""),
    "broken JSON": _raw(HEAD + b'Content-Length: 6\r\n\r\n[{"id"'),
    "no UTF-8": _raw(HEAD + b'Content-Length: 4\r\n\r\n"\xff\xfe"'),
    "deeply nested": _raw(HEAD + b"Content-Length: 90000\r\n\r\n" + b"[" * 90000),
    "wrong shape": _replies(200, [{"id": "seventeen"}]),
    "another shape": _replies(200, {"Authorized": ["Bearer"], "thoughts": 3}),
    "HTML": _raw(HEAD + b"Content-Length: 6\r\n\r\n<html>"),
    "cut short": _raw(HEAD + b'Content-Length: 500\r\n\r\n[{"id": 1}'),
    "cut short in a chunk": _raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\nff\r\n[{"),
    "too large": _raw(HEAD + b"Content-Length: 2000000\r\n\r\n" + b" " * 2_000_000),
    "no length": _raw(HEAD + b"\r\n[]"),
    "endless head": _raw(HEAD + b"X-Header: " + b"x" * 2_000_000),
    "two answers": _raw(2 * (HEAD + b"Content-Length: 2\r\n\r\n[]")),
    "switches protocols": _raw(b"HTTP/1.1 101 No\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"),
    "drips": _drip,
    "drips its body": _drip_body,
    "redirects": _replies(307, {}),
}

# Only the deadline ends these.
ENDLESS_FAULTS = {"stalls", "drips", "drips its body"}

every_fault = pytest.mark.parametrize("fault", FAULTS)


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    """Settings with which a slow backend is given up on after half a second."""
    parameters = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    if parameters.get("fault") in ENDLESS_FAULTS:
        return replace(settings, backend_answer_seconds=0.5)
    return settings


@every_fault
def test_own_page_says_that_thoughts_are_away(
    bruce: Browser, thoughts: FakeThoughtsBackend, fault: str
) -> None:
    """The user's own page has status 503, says what is missing, and keeps session and form."""
    FAULTS[fault](thoughts)

    page = bruce.get("/")

    assert page.status == 503
    assert NOT_SHOWN in page.words
    assert "<title>Problem: " in page.text
    assert page.form(SHARE)
    assert "mythoughts_session" in bruce.cookies
    assert page.headers["X-Request-ID"] in page.words


@every_fault
def test_sharing_keeps_the_text_for_later(
    bruce: Browser, thoughts: FakeThoughtsBackend, fault: str
) -> None:
    """A text that cannot be stored is in the form of the 503 page, with the same key."""
    form = bruce.get("/").form(SHARE)
    FAULTS[fault](thoughts)

    page = bruce.send(form, text="Two\nlines")

    assert page.status == 503
    assert NOT_SHARED in page.words
    assert page.form(SHARE).fields["text"] == "Two\nlines"
    assert page.form(SHARE).fields["form_key"] == form.fields["form_key"]
    assert "mythoughts_session" in bruce.cookies


@every_fault
def test_search_says_that_it_is_unavailable(
    browser: Browser, thoughts: FakeThoughtsBackend, fault: str
) -> None:
    """The search page has status 503, says so, and keeps the search words."""
    FAULTS[fault](thoughts)

    page = browser.get("/search?search=rain")

    assert page.status == 503
    assert NO_SEARCH in page.words
    assert page.form("/search").fields["search"] == "rain"


@every_fault
def test_login_says_that_it_is_unavailable(
    browser: Browser, users: FakeUsersBackend, fault: str
) -> None:
    """The login page has status 503, says so, and keeps the name but not the password."""
    form = browser.get("/login/").form("/login/")
    FAULTS[fault](users)

    page = browser.send(form, username="bruce", password="bruce")

    assert page.status == 503
    assert NO_LOGIN in page.words
    assert page.form("/login/").fields["username"] == "bruce"
    assert page.form("/login/").fields["password"] == ""


@pytest.mark.parametrize("fault", ["stalls", "refuses connections", "500", "wrong shape"])
def test_deleting_says_that_it_is_unavailable(
    bruce: Browser, thoughts: FakeThoughtsBackend, fault: str
) -> None:
    """Neither the confirmation nor the deletion works without the backend, and both say so."""
    thought_id = thoughts.add("bruce", "Rain")
    # From a page that needs no backend: the short deadline holds for healthy ones, too.
    token = bruce.get("/logout/").form("/logout/").fields["csrfmiddlewaretoken"]
    form = Form("post", f"/thoughts/{thought_id}/delete", {"csrfmiddlewaretoken": token})
    FAULTS[fault](thoughts)

    pages = [bruce.send(form), bruce.get(form.action)]

    assert [page.status for page in pages] == [503, 503]
    assert all("This cannot be shown or changed" in page.words for page in pages)
    assert "mythoughts_session" in bruce.cookies


def test_text_that_was_stored_before_the_answer_got_lost_is_stored_once(
    bruce: Browser, thoughts: FakeThoughtsBackend
) -> None:
    """If the response for a stored text is lost, sharing it again stores no second one."""
    form = bruce.get("/").form(SHARE)

    def store_and_go(handler: Handler, call: Call) -> None:
        thoughts.answer(call)
        handler.send_raw(b"")

    thoughts.fault = store_and_go
    page = bruce.send(form, text="Rain")
    thoughts.fault = None

    again = bruce.send(page.form(SHARE))

    assert page.status == 503
    assert "Your thought has been shared." in again.words
    assert len(thoughts.thoughts) == 1


def test_backend_that_goes_away_between_two_requests(
    bruce: Browser, thoughts: FakeThoughtsBackend
) -> None:
    """While the backend is down, the user sees a 503 page and stays logged in."""
    before = bruce.get("/")
    thoughts.stop()

    during = bruce.get("/")
    thoughts.start()
    after = bruce.get("/")

    assert [page.status for page in (before, during, after)] == [200, 503, 200]


def test_login_survives_a_missing_thoughts_backend(
    browser: Browser, thoughts: FakeThoughtsBackend
) -> None:
    """Without the Thoughts Backend, login works, and the user's own page says what is missing."""
    thoughts.stop()

    page = browser.log_in("bruce")

    assert page.status == 503
    assert NOT_SHOWN in page.words
    assert "mythoughts_session" in browser.cookies


def test_pages_work_without_the_users_backend(
    bruce: Browser, users: FakeUsersBackend, thoughts: FakeThoughtsBackend
) -> None:
    """Logged-in users can read and share while the Users Backend is down."""
    users.stop()

    page = bruce.send(bruce.get("/").form(SHARE), text="Rain")

    assert page.status == 200
    assert len(thoughts.thoughts) == 1


def test_login_answer_with_a_foreign_token_is_no_login(
    browser: Browser, users: FakeUsersBackend
) -> None:
    """A token that cannot be verified here is not stored in the cookie."""
    form = browser.get("/login/").form("/login/")
    users.fault = lambda handler, _: handler.reply(Reply(200, {"Authorized": "Bearer a.b.c"}))

    page = browser.send(form, username="bruce", password="bruce")

    assert page.status == 503
    assert "mythoughts_session" not in browser.cookies


def test_503_says_when_to_come_back(browser: Browser, thoughts: FakeThoughtsBackend) -> None:
    """The 503 page has a Retry-After header."""
    thoughts.stop()

    page = browser.get("/search")

    assert int(page.headers["Retry-After"]) > 0


def test_unexpected_refusal_has_a_page_of_its_own(
    bruce: Browser, thoughts: FakeThoughtsBackend
) -> None:
    """A 400 from the backend that no form caused is shown with status 400."""
    thoughts.fault = lambda handler, _: handler.reply(Reply(400, {"detail": "no such id"}))

    page = bruce.get("/thoughts/7/delete")

    assert page.status == 400
    assert "The server could not understand this request." in page.words


@pytest.mark.parametrize(("header", "words"), [("90", "in 90 seconds."), ("soon", "in 1 second.")])
def test_other_limits_are_pages_that_say_how_long_to_wait(
    bruce: Browser, thoughts: FakeThoughtsBackend, header: str, words: str
) -> None:
    """A page that has no words of its own for a limit still says when to try again."""
    thoughts.fault = lambda handler, _: handler.reply(Reply(429, {}, {"Retry-After": header}))

    page = bruce.get("/")

    assert page.status == 429
    assert f"Please try again {words}" in page.words
