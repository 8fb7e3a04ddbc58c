"""A failing backend affects only its own pages."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice

import pytest

from frontend.backends.http_client import CircuitBreaker
from frontend.settings import Settings
from services.frontend.tests.conftest import RunningFrontend
from testkit.browser import Browser, Page
from testkit.fake_backend import (
    Call,
    FakeBackend,
    FakeThoughtsBackend,
    FakeUsersBackend,
    Handler,
    Reply,
)

SLOTS = 4
FAILURES_TO_OPEN = 3


@contextmanager
def _stalled_pages(
    frontend: RunningFrontend, backend: FakeBackend, count: int
) -> Iterator[list[Future[Page]]]:
    """`count` browsers, each waiting for a page of the stalled Thoughts Backend."""
    backend.stall()
    full = threading.Semaphore(0)
    stall = backend.fault
    assert stall is not None

    def count_and_stall(handler: Handler, call: Call) -> None:
        full.release()
        stall(handler, call)

    backend.fault = count_and_stall
    browsers = [Browser(frontend.url) for _ in range(count)]
    with ThreadPoolExecutor(count) as pool:
        pages = [pool.submit(browser.get, "/search") for browser in browsers]
        for _ in range(SLOTS):
            assert full.acquire(timeout=20)
        try:
            yield pages
        finally:
            backend.released.set()


def test_stalled_backend_leaves_the_rest_working(
    frontend: RunningFrontend, thoughts: FakeThoughtsBackend, users: FakeUsersBackend
) -> None:
    """While 20 users wait for one backend, health checks, pages and logins of others work."""
    other = Browser(frontend.url)
    form = other.get("/login/").form("/login/")

    with _stalled_pages(frontend, thoughts, 20) as stalled:
        health = other.get("/healthz")
        login = other.send(form, follow=False, username="bruce", password="bruce")
        logout = other.get("/logout/")
        still_waiting = sum(not page.done() for page in stalled)

    assert [health.status, login.status, logout.status] == [200, 302, 200]
    assert still_waiting >= SLOTS


def test_only_a_few_calls_wait_for_a_stalled_backend(
    frontend: RunningFrontend, thoughts: FakeThoughtsBackend
) -> None:
    """Of 20 users of a stalled backend, all but those holding its slots get an answer at once."""
    with _stalled_pages(frontend, thoughts, 20) as stalled:
        told = islice(as_completed(stalled, timeout=60), 20 - SLOTS)
        statuses = [page.result().status for page in told]
        calls = len(thoughts.calls)

    assert calls == SLOTS
    assert statuses == [503] * (20 - SLOTS)


def test_health_answers_while_both_backends_stall(
    frontend: RunningFrontend, thoughts: FakeThoughtsBackend, users: FakeUsersBackend
) -> None:
    """While every slot of both backends is taken, health checks and static files still work."""
    users.stall()
    browsers = [Browser(frontend.url) for _ in range(8)]
    forms = [browser.get("/login/").form("/login/") for browser in browsers]

    with (
        _stalled_pages(frontend, thoughts, 8),
        ThreadPoolExecutor(8) as pool,
    ):
        for browser, form in zip(browsers, forms, strict=True):
            pool.submit(browser.send, form, username="bruce", password="bruce")
        probe = Browser(frontend.url)
        statuses = [probe.get(path).status for path in ("/healthz", "/readyz", "/metrics")]
        users.released.set()

    assert statuses == [200, 200, 200]


@pytest.mark.usefixtures("rare_probes")
def test_backend_that_keeps_failing_is_left_alone(
    browser: Browser, thoughts: FakeThoughtsBackend
) -> None:
    """After three consecutive failures the backend is not called for a while."""
    thoughts.fault = lambda handler, _: handler.reply(Reply(500))

    pages = [browser.get("/search") for _ in range(6)]

    assert {page.status for page in pages} == {503}
    assert len(thoughts.calls) == FAILURES_TO_OPEN


def test_backend_that_recovers_is_found_again(
    settings: Settings, thoughts: FakeThoughtsBackend
) -> None:
    """When a backend has recovered, so do its pages, however long a call may take."""
    patient = RunningFrontend(replace(settings, backend_answer_seconds=60))
    browser = Browser(patient.url)
    thoughts.fault = lambda handler, _: handler.reply(Reply(500))
    for _ in range(FAILURES_TO_OPEN):
        browser.get("/search")
    thoughts.fault = None
    pause = threading.Event()

    attempts = 0
    while browser.get("/search").status != 200 and attempts < 200:
        attempts += 1
        pause.wait(0.1)

    patient.stop()
    assert attempts < 200


def test_refused_input_does_not_open_the_circuit(
    browser: Browser, thoughts: FakeThoughtsBackend
) -> None:
    """Responses that blame the request do not count against the backend."""
    thoughts.fault = lambda handler, _: handler.reply(Reply(400, {"detail": "no"}))

    for _ in range(6):
        browser.get("/search")

    assert len(thoughts.calls) == 6


def test_open_circuit_lets_one_probe_through() -> None:
    """When half open, one caller gets through; the others wait for its outcome."""
    now = [0.0]
    breaker = CircuitBreaker(failures_to_open=2, probe_every_seconds=3, clock=lambda: now[0])
    breaker.report_failure()
    breaker.report_failure()

    admitted_at_once = breaker.admits_call()
    now[0] = 3.0
    admitted_later = [breaker.admits_call() for _ in range(3)]

    assert not admitted_at_once
    assert admitted_later == [True, False, False]


def test_failed_probe_leaves_the_circuit_open() -> None:
    """A failed probe changes nothing until the next one is due."""
    now = [0.0]
    breaker = CircuitBreaker(failures_to_open=1, probe_every_seconds=3, clock=lambda: now[0])
    breaker.report_failure()
    now[0] = 3.0
    breaker.admits_call()

    breaker.report_failure()
    now[0] = 5.9
    too_early = breaker.admits_call()
    now[0] = 6.0

    assert not too_early
    assert breaker.admits_call()


def test_success_closes_the_circuit() -> None:
    """A successful probe lets everybody through again."""
    breaker = CircuitBreaker(failures_to_open=1, probe_every_seconds=0)
    breaker.report_failure()
    breaker.admits_call()

    breaker.report_success()

    assert all(breaker.admits_call() for _ in range(5))


def test_restarted_backend_is_not_noticed(bruce: Browser, thoughts: FakeThoughtsBackend) -> None:
    """Idle connections closed by a restart do not break any page."""
    bruce.get("/")
    thoughts.stop()
    thoughts.start()

    pages = [bruce.get("/") for _ in range(5)]

    assert {page.status for page in pages} == {200}


def test_login_does_not_use_a_connection_that_the_backend_has_closed(
    browser: Browser, users: FakeUsersBackend
) -> None:
    """After a restart the first login works, although a login is sent only once."""
    form = browser.get("/login/").form("/login/")
    browser.send(form, username="bruce", password="wrong")
    users.stop()
    users.start()

    page = browser.send(form, username="bruce", password="bruce", follow=False)

    assert page.status == 302
    assert len(users.calls) == 2


def test_backend_may_ask_for_another_connection(
    browser: Browser, thoughts: FakeThoughtsBackend
) -> None:
    """After `Connection: close`, as a stopping backend sends it, the next call opens a new one."""
    addresses = []

    def answer_and_part(handler: Handler, call: Call) -> None:
        addresses.append(handler.client_address)
        reply = thoughts.answer(call)
        handler.reply(reply._replace(headers={**reply.headers, "Connection": "close"}))

    thoughts.fault = answer_and_part

    pages = [browser.get("/search") for _ in range(3)]

    assert [page.status for page in pages] == [200, 200, 200]
    assert len(set(addresses)) == 3


def test_answer_in_chunks_is_read_whole(browser: Browser, thoughts: FakeThoughtsBackend) -> None:
    """A response may be chunked instead of having a length."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    thoughts.fault = lambda handler, _: handler.send_raw(head + b"1\r\n[\r\n1\r\n]\r\n0\r\n\r\n")

    page = browser.get("/search")

    assert page.status == 200


def _break_once(backend: FakeBackend, answered: bytes = b"") -> None:
    """Break the connection of the next call after `answered`; then answer normally."""

    def break_once(handler: Handler, call: Call) -> None:
        backend.fault = None
        handler.send_raw(answered)

    backend.fault = break_once


@pytest.mark.parametrize("answered", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n["])
def test_reading_is_tried_again_on_a_broken_connection(
    bruce: Browser, thoughts: FakeThoughtsBackend, answered: bytes
) -> None:
    """A GET whose connection breaks before or within the response is repeated once."""
    _break_once(thoughts, answered)

    page = bruce.get("/")

    assert page.status == 200


def test_sharing_is_tried_again_on_a_broken_connection(
    bruce: Browser, thoughts: FakeThoughtsBackend
) -> None:
    """Sharing is repeated once if its connection breaks, with the same key."""
    form = bruce.get("/").form("/thoughts/new")
    _break_once(thoughts)

    page = bruce.send(form, text="Rain")

    posts = [call for call in thoughts.calls if call.method == "POST"]
    assert "Your thought has been shared." in page.words
    assert len({call.headers["idempotency-key"] for call in posts}) == 1
    assert len(posts) == 2


def test_login_is_not_tried_again_on_a_broken_connection(
    browser: Browser, users: FakeUsersBackend
) -> None:
    """A login whose connection breaks is not repeated."""
    form = browser.get("/login/").form("/login/")
    _break_once(users)

    page = browser.send(form, username="bruce", password="bruce")

    assert page.status == 503
    assert len(users.calls) == 1


def test_connection_that_breaks_twice_is_given_up(
    browser: Browser, thoughts: FakeThoughtsBackend
) -> None:
    """There is a second attempt, but no third."""
    thoughts.fault = lambda handler, _: handler.send_raw(b"")

    page = browser.get("/search")

    assert page.status == 503
    assert len(thoughts.calls) == 2


def test_ids_and_language_are_passed_on(browser: Browser, thoughts: FakeThoughtsBackend) -> None:
    """The backend receives the request's id, its trace and the page's language."""
    trace = f"00-{'ab' * 16}-{'cd' * 8}-01"

    browser.get("/search", X_Request_ID="from-outside-1", traceparent=trace, Accept_Language="zh")

    headers = thoughts.calls[-1].headers
    assert headers["x-request-id"] == "from-outside-1"
    assert headers["traceparent"] == trace
    assert headers["accept-language"] == "zh-hans"


def test_connections_to_a_backend_are_kept(browser: Browser, thoughts: FakeThoughtsBackend) -> None:
    """Consecutive pages reuse one connection to the backend."""
    ports = set()

    def note_port(handler: Handler, call: Call) -> None:
        ports.add(handler.client_address)
        handler.reply(thoughts.answer(call))

    thoughts.fault = note_port

    for _ in range(5):
        browser.get("/search")

    assert len(ports) == 1
