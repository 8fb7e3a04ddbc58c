"""The outermost layer: whatever the application does, there is a proper response."""

import http.client
import re
from collections.abc import Callable, Iterable, Iterator
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest
import structlog
from prometheus_client import REGISTRY
from structlog.testing import capture_logs
from structlog.typing import EventDict, WrappedLogger

from frontend.serving.observation import observe
from frontend.settings import Settings
from services.frontend.tests.conftest import RunningFrontend
from testkit.browser import Browser
from testkit.http_client import HttpClient
from testkit.waiting import wait_until

Serve = Callable[[WSGIApplication], Browser]


@pytest.fixture
def serve(settings: Settings) -> Iterator[Serve]:
    """Serves an application wrapped in the observing layer, and returns a browser for it."""
    started: list[RunningFrontend] = []

    def start(app: WSGIApplication) -> Browser:
        started.append(RunningFrontend(settings, observe(app, [])))
        return Browser(started[-1].url)

    yield start
    for running in started:
        running.stop()


def good(_: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
    """Answer."""
    start("200 OK", [("Content-Type", "text/plain")])
    return [b"good"]


def raising(_: WSGIEnvironment, __: StartResponse) -> Iterable[bytes]:
    """Raise before the response has started."""
    raise ValueError("the secret")


def raising_late(_: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
    """Raise after the response has started."""
    start("200 OK", [("Content-Length", "4"), ("Set-Cookie", "a=b")])
    raise ValueError("the secret")


def raising_in_the_body(_: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
    """Raise in the middle of the body."""
    start("200 OK", [("Content-Length", "4")])
    yield b"go"
    raise ValueError("the secret")


def never_starting(_: WSGIEnvironment, __: StartResponse) -> Iterable[bytes]:
    """Return an empty body."""
    return [b"text"]


def forging_a_header(_: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
    """Respond with a header that waitress rejects."""
    start("200 OK", [("Location", "/\r\nX-Forged: 1")])
    return []


def without_a_status(_: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
    """Respond with an invalid status."""
    start("fine", [])
    return []


def replacing_the_path(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
    """Do as Django does."""
    environ["PATH_INFO"] = "/水\ud800"
    del environ["REQUEST_METHOD"]
    return good(environ, start)


FAULTY = [
    raising,
    raising_late,
    raising_in_the_body,
    never_starting,
    forging_a_header,
    without_a_status,
]


@pytest.mark.parametrize("app", FAULTY)
def test_fault_has_a_proper_answer(serve: Serve, app: WSGIApplication) -> None:
    """However the application fails, the response is a 500 with id and security headers."""
    answer = serve(app).get("/", X_Request_ID="mine")

    assert answer.status == 500
    assert answer.headers["X-Request-ID"] == "mine"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in answer.headers
    assert "request id" in answer.words
    assert "secret" not in answer.text


@pytest.mark.parametrize("app", FAULTY)
def test_fault_is_logged_and_counted_once(serve: Serve, app: WSGIApplication) -> None:
    """A failed request is logged and counted, and the error is in the log."""
    browser = serve(app)
    count = ("http_request_duration_seconds_count", {**LABELS, "status": "500"})
    before = REGISTRY.get_sample_value(*count) or 0

    with capture_logs() as lines:
        browser.get("/")

    assert [line["status"] for line in lines if line["event"] == "request"] == [500]
    assert len([line for line in lines if line["event"] == "unhandled error"]) == 1
    assert REGISTRY.get_sample_value(*count) == before + 1


LABELS = {"method": "GET", "route": "unmatched"}


def test_body_is_closed_when_it_fails(serve: Serve) -> None:
    """Resources that an application keeps open for its response are closed."""
    closed: list[bool] = []

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            raise ValueError

        def close(self) -> None:
            closed.append(True)

    def app(_: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        start("200 OK", [])
        return Body()

    serve(app).get("/")

    assert closed == [True]


@pytest.mark.parametrize("app", [good, raising])
@pytest.mark.parametrize("error", [ValueError, OSError, RecursionError])
def test_answer_stands_when_the_log_fails(
    serve: Serve, app: WSGIApplication, error: type[Exception]
) -> None:
    """A failed log line does not affect the response."""
    browser = serve(app)
    expected = browser.get("/").status

    def fail(_: WrappedLogger, __: str, ___: EventDict) -> EventDict:
        raise error

    structlog.configure(processors=[fail])
    try:
        answer = browser.get("/", X_Request_ID="mine")
    finally:
        structlog.reset_defaults()

    assert (answer.status, answer.headers["X-Request-ID"]) == (expected, "mine")


def test_request_is_read_before_the_application_changes_it(serve: Serve) -> None:
    """The log shows the requested path, not the one changed by the application."""
    browser = serve(replacing_the_path)

    with capture_logs() as lines:
        answer = browser.get("/%E6%B0%B4?search=x")

    (line,) = [line for line in lines if line["event"] == "request"]
    assert answer.status == 200
    assert (line["method"], line["path"]) == ("GET", "/水")


@pytest.mark.parametrize(
    "path", ["/%E6%B0%B4", "/%E2%80%99", "/search%E3%80%80", "/thoughts/%E6%B0%B4/delete", "/%FF"]
)
def test_path_of_any_characters_has_a_page(browser: Browser, path: str) -> None:
    """Unknown addresses, in any script or invalid encoding, get the not-found page."""
    page = browser.get(path)

    assert page.status == 404
    assert "Page not found" in page.words
    assert re.fullmatch(r"[0-9a-f]{32}", page.headers["X-Request-ID"])


def streaming(_: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
    """Answer with a body of unknown length."""
    start("200 OK", [("Content-Type", "text/plain")])
    return iter([b"one", b"two"])


def failing_while_streaming(_: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
    """Answer with a body of unknown length whose second part fails."""
    start("200 OK", [("Content-Type", "text/plain")])

    def parts() -> Iterator[bytes]:
        yield b"one"
        raise ValueError("the secret")

    return parts()


def test_body_of_unknown_length_is_streamed(serve: Serve) -> None:
    """A response without a Content-Length is sent in chunks, and logged once, at its end."""
    with capture_logs() as lines:
        answer = HttpClient(serve(streaming).base_url).get("/")

    assert (answer.status, answer.body) == (200, b"onetwo")
    assert answer.headers["Transfer-Encoding"] == "chunked"
    wait_until(lambda: [line["event"] for line in lines] == ["request"])


def test_error_while_streaming_cuts_the_body_off(serve: Serve) -> None:
    """A client notices that a streamed body ended early, and the log says why."""
    with capture_logs() as lines, pytest.raises(http.client.IncompleteRead):
        HttpClient(serve(failing_while_streaming).base_url).get("/")

    wait_until(lambda: [line["event"] for line in lines] == ["response cut off", "request"])
