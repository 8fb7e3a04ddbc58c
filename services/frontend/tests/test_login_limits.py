"""Limits of logins in the pages: addresses, known browsers, and what people read."""

import dataclasses
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie
from ipaddress import ip_network
from typing import Any

import pytest

from frontend.backends import places
from frontend.backends.errors import TooManyRequests
from frontend.backends.places import Places
from frontend.settings import Settings
from services.frontend.tests.conftest import RunningFrontend
from testkit.browser import Browser, Page
from testkit.fake_backend import LIMIT, FakeThoughtsBackend, FakeUsersBackend, Reply
from testkit.waiting import WAIT_SECONDS, wait_until

pytestmark = pytest.mark.security

BROWSER = "203.0.113.7"
DEVICE = "mythoughts_device"


def refuse(users: FakeUsersBackend, seconds: int, *, is_limit: bool = True) -> None:
    """Make the Users Backend refuse logins for this long, because of a limit or a full queue."""
    headers = {"Retry-After": str(seconds)} | (LIMIT if is_limit else {})
    users.fault = lambda handler, _: handler.reply(Reply(429, {"detail": "wait"}, headers))


def try_to_log_in(browser: Browser) -> Page:
    """Send the form of the login page."""
    form = browser.get("/login/").form("/login/")
    return browser.send(form, username="bruce", password="secret")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Too many attempts. Please try again in 40 seconds."),
        ("zh-CN", "尝试次数过多，请在 40 秒后重试。"),
    ],
)
def test_refused_login_says_how_long_to_wait(
    frontend: RunningFrontend, users: FakeUsersBackend, language: str, words: str
) -> None:
    """The page says it in words and in a header, and keeps the name, but not the password."""
    refuse(users, 40)
    page = try_to_log_in(Browser(frontend.url, language))

    assert (page.status, page.headers["Retry-After"]) == (429, "40")
    assert words in page.words
    assert page.form("/login/").fields["username"] == "bruce"
    assert "secret" not in page.text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Many people are logging in right now. Please try again in 1 second."),
        ("zh-CN", "当前登录人数较多，请在 1 秒后重试。"),
    ],
)
def test_login_that_finds_no_place_in_the_queue_says_so(
    frontend: RunningFrontend, users: FakeUsersBackend, language: str, words: str
) -> None:
    """Who has reached no limit is not told of too many attempts."""
    refuse(users, 1, is_limit=False)

    page = try_to_log_in(Browser(frontend.url, language))

    assert (page.status, page.headers["Retry-After"]) == (429, "1")
    assert words in page.words


def test_refused_login_keeps_the_draft(bruce: Browser, users: FakeUsersBackend) -> None:
    """A text that waits for the login is still there."""
    composer = bruce.get("/").form("/thoughts/new")
    del bruce.cookies["mythoughts_session"]
    login = bruce.send(composer, text="Rain").form("/login/")
    refuse(users, 40)

    page = bruce.send(login, username="bruce", password="bruce")

    assert page.form("/login/").fields["text"] == "Rain"


def test_browser_is_known_after_a_login(browser: Browser, users: FakeUsersBackend) -> None:
    """A login sets a long-lived cookie, which the next login sends on; logging out keeps it."""
    form = browser.get("/login/").form("/login/")
    page = browser.send(form, follow=False, username="bruce", password="bruce")
    cookie = _cookie(page)
    browser.send(browser.get("/").form("/logout/"))
    browser.log_in()

    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert int(cookie["max-age"]) == 400 * 86_400
    first, *_, last = [call for call in users.calls if call.path == "/api/login/"]
    assert "x-device-token" not in first.headers
    assert last.headers["x-device-token"] == "device-of-bruce"


def _cookie(page: Page) -> dict[str, Any]:
    lines = page.headers.get_all("Set-Cookie", [])
    (line,) = [line for line in lines if DEVICE in line]
    return dict(next(iter(SimpleCookie(line).values())))


@pytest.mark.parametrize("value", ["a b", "x" * 101, "é", 'a"b', ""])
def test_odd_cookie_is_not_sent_on(browser: Browser, users: FakeUsersBackend, value: str) -> None:
    """What cannot be a token is nobody's, and the login works."""
    browser.cookies[DEVICE] = value.encode().decode("latin-1")
    browser.log_in()

    assert "mythoughts_session" in browser.cookies
    assert "x-device-token" not in users.calls[-1].headers


def addresses(*backends: FakeUsersBackend | FakeThoughtsBackend) -> set[str | None]:
    """Where the backends were told that their calls come from."""
    return {call.headers.get("x-forwarded-for") for backend in backends for call in backend.calls}


def test_backends_learn_the_browsers_address(
    bruce: Browser, users: FakeUsersBackend, thoughts: FakeThoughtsBackend
) -> None:
    """Every call names the address that the browser connected from, not what it claims."""
    bruce.get("/", X_Forwarded_For=BROWSER)
    bruce.get("/search", X_Forwarded_For="127.0.0.1, 10.0.0.1")
    del bruce.cookies["mythoughts_session"]
    bruce.log_in()

    assert users.calls
    assert addresses(users, thoughts) == {"127.0.0.1"}


@pytest.fixture
def behind_proxies(settings: Settings) -> Iterator[RunningFrontend]:
    """A Frontend that trusts the proxy which its clients are."""
    trusted = (ip_network("127.0.0.1/32"), ip_network("10.0.0.0/8"))
    running = RunningFrontend(dataclasses.replace(settings, trusted_proxies=trusted))
    yield running
    running.stop()


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        (BROWSER, BROWSER),
        (f"6.6.6.6, {BROWSER}, 10.0.0.1", BROWSER),
        ("2001:db8::1", "2001:db8::1"),
        ("6.6.6.6, odd\ttext", "127.0.0.1"),
    ],
)
def test_trusted_proxy_names_the_browsers_address(
    behind_proxies: RunningFrontend, thoughts: FakeThoughtsBackend, forwarded: str, address: str
) -> None:
    """Behind a proxy the address is the browser's, forged entries before it notwithstanding."""
    Browser(behind_proxies.url).get("/search", X_Forwarded_For=forwarded)

    assert addresses(thoughts) == {address}


@pytest.mark.parametrize(
    ("sent", "told"), [("Mozilla/5.0 (X11)", "Mozilla/5.0 (X11)"), ("Löwe\t1", "L??we?1")]
)
def test_login_names_the_browser(
    browser: Browser, users: FakeUsersBackend, sent: str, told: str
) -> None:
    """The Users Backend learns what the browser calls itself."""
    form = browser.get("/login/").form("/login/")
    fields = form.fields | {"username": "bruce", "password": "bruce"}
    browser.post("/login/", fields, User_Agent=sent.encode().decode("latin-1"))

    assert users.calls[-1].headers["user-agent"] == told


def test_logins_that_wait_leave_room_for_others(
    frontend: RunningFrontend, users: FakeUsersBackend, thoughts: FakeThoughtsBackend
) -> None:
    """While logins hang in the Users Backend, pages, and other calls to it, are answered."""
    users.stall()
    with ThreadPoolExecutor(20) as pool:
        flood = [pool.submit(lambda: try_to_log_in(Browser(frontend.url))) for _ in range(20)]
        wait_until(lambda: sum(task.done() for task in flood) >= 16)
        refused = [task.result() for task in flood if task.done()]
        status = Browser(frontend.url).get("/search").status
        held = len([call for call in users.calls if call.path == "/api/login/"])
        users.released.set()

    assert {page.status for page in refused} == {429}
    assert all("Many people are logging in right now." in page.words for page in refused)
    assert status == 200
    assert held == 2


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Threads, as those of the server."""
    with ThreadPoolExecutor(10) as pool:
        yield pool


def test_networks_take_turns_at_places(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crowd from one network gives up a place to somebody from another, who is next but one."""
    monkeypatch.setattr(places, "WAIT_SECONDS", WAIT_SECONDS)
    place, served = Places(at_once=1, waiting=2), list[str]()

    def serve(name: str) -> None:
        with place.place(name[0]):
            served.append(name)

    def waiting() -> int:
        return len(place._queue)

    with place.place("first"):
        crowd = []
        for number in (1, 2):
            crowd.append(pool.submit(serve, f"a{number}"))
            wait_until(lambda number=number: waiting() == number)  # type: ignore[misc]
        other = pool.submit(serve, "b1")
        with pytest.raises(TooManyRequests):
            crowd[1].result(WAIT_SECONDS)
    crowd[0].result(WAIT_SECONDS)
    other.result(WAIT_SECONDS)

    assert served == ["a1", "b1"]


def test_nobody_waits_long_for_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """A login that gets no place in time is refused, and stands in nobody's way."""
    monkeypatch.setattr(places, "WAIT_SECONDS", 0.01)
    place = Places(at_once=1, waiting=1)
    with place.place("a"):
        for _ in range(3):
            with pytest.raises(TooManyRequests), place.place("b"):
                pass
    with place.place("b"):
        pass


def test_failed_call_gives_its_place_back() -> None:
    """A place is free again, however the call ends."""
    place = Places(at_once=1, waiting=0)
    for _ in range(2):
        with pytest.raises(LookupError), place.place("a"):
            raise LookupError
