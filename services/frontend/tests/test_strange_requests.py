"""Requests that no browser would send."""

import re

import pytest

from frontend.serving.observation import SECURITY_HEADERS
from services.frontend.tests.conftest import RunningFrontend
from testkit.http_client import HttpClient, read_answer
from testkit.service_process import MakeProcess, ServiceProcess, check_answers_without_a_log
from testkit.strange_requests import BAD_HOSTS, GOOD_HOSTS, check_strange_requests

pytestmark = pytest.mark.security

PATHS = ["/search", "/thoughts/", "/login", "/static", "/language"]


@pytest.fixture
def start(make_process: MakeProcess) -> MakeProcess:
    """Starts a Frontend in a separate process, with the given settings."""

    def start_one(**settings: str) -> ServiceProcess:
        frontend = make_process(**settings)
        frontend.start()
        return frontend

    return start_one


def test_any_bytes_are_answered_and_logged_once(start: MakeProcess) -> None:
    """Whatever a request contains, it causes no fault of the service and one log line."""
    check_strange_requests(start(), PATHS, examples=150)


@pytest.mark.parametrize("disabled", ["true", "false"])
def test_any_bytes_are_traced(start: MakeProcess, disabled: str) -> None:
    """The same holds with tracing, even without a collector."""
    service = start(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9", OTEL_SDK_DISABLED=disabled)

    check_strange_requests(service, PATHS, examples=20)


@pytest.mark.parametrize("lines", BAD_HOSTS)
def test_request_without_one_good_host_is_refused(frontend: RunningFrontend, lines: bytes) -> None:
    """No Host, several, or an invalid one gets 400 (RFC 9112, section 3.2)."""
    for target in (b"/healthz", b"/search", b"http://example.org/search"):
        answer = ask(frontend.url, b"GET %b HTTP/1.1\r\n%b" % (target, lines))

        assert answer.startswith(b"HTTP/1.1 400 "), target
        assert b"x-request-id: " in answer.lower()
        assert b"content-security-policy: " in answer.lower()


@pytest.mark.parametrize("request_bytes", GOOD_HOSTS)
def test_request_with_a_good_host_is_answered(
    frontend: RunningFrontend, request_bytes: bytes
) -> None:
    """Names, addresses and ports are valid; before HTTP/1.1 the header is optional."""
    answer = ask(frontend.url, request_bytes)

    assert re.match(rb"HTTP/1.[01] 302 ", answer)


@pytest.mark.parametrize("target", [b"http://example.org.evil.example/login", b"http://a@b/login"])
def test_host_in_the_address_counts(start: MakeProcess, target: bytes) -> None:
    """An address in absolute form names its host itself, whatever Host says."""
    url = start(ALLOWED_HOSTS="example.org").http.base_url

    refused = ask(url, b"GET %b HTTP/1.1\r\nHost: example.org\r\n" % target)
    taken = ask(url, b"GET http://example.org/login HTTP/1.1\r\nHost: other\r\n")

    assert refused.startswith(b"HTTP/1.1 400 ")
    assert b"Unknown address" in refused
    assert taken.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET http://[broken/ HTTP/1.1\r\nHost: x\r\n",
        b"GET http://a]b/ HTTP/1.1\r\nHost: x\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"1" * 5000 + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n",
        b"GARBAGE\r\n",
    ],
    ids=lambda request_bytes: repr(request_bytes[:40]),
)
def test_malformed_request_is_answered(frontend: RunningFrontend, request_bytes: bytes) -> None:
    """Requests that waitress cannot parse get an error response before the connection closes."""
    answer = ask(frontend.url, request_bytes)

    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
    assert b"content-security-policy: " in answer.lower()


def test_refusal_of_the_server_has_every_header(start: MakeProcess) -> None:
    """What waitress refuses by itself has the headers of all responses, also those about https."""
    url = start(BEHIND_TLS="true").http.base_url

    by_waitress = ask(url, b"GARBAGE\r\n")
    by_us = ask(url, b"GET /healthz HTTP/1.1\r\nHost: x\r\n")

    for header in SECURITY_HEADERS:
        line = b"%b: %b\r\n" % tuple(part.encode() for part in header)
        assert line in by_waitress
        assert line in by_us
    for answer in (by_waitress, by_us):
        assert b"Strict-Transport-Security: max-age=31536000\r\n" in answer


def test_lost_log_takes_no_answer(start: MakeProcess) -> None:
    """If the log's reader is gone, lines are lost but requests are answered."""
    check_answers_without_a_log("frontend", start().process.environment, "/search")


def ask(url: str, request_bytes: bytes) -> bytes:
    """Send a request as the last one of its connection; return the response."""
    with HttpClient(url).connection() as connection:
        connection.sendall(request_bytes + b"Connection: close\r\n\r\n")
        return read_answer(connection)
