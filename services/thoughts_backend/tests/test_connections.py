"""Connections that are slow, silent, too many or too large. Both backends have the same server."""

from contextlib import suppress

import pytest

from services.thoughts_backend.tests.conftest import MakeBackend
from testkit.connection_attacks import ConnectionAttacks
from testkit.http_client import HttpClient, read_answer
from testkit.service_process import ServiceProcess
from testkit.thoughts_sql import Sql
from testkit.waiting import wait_until

pytestmark = pytest.mark.security

PATH = "/api/thoughts/"
# A request without a token, which is answered at once.
REFUSED = b"%b /api/me/thoughts/ HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture
def attacked(make_backend: MakeBackend) -> ServiceProcess:
    """A backend that trusts no proxy."""
    backend = make_backend()
    backend.start()
    return backend


class TestConnections(ConnectionAttacks):
    """Slow, silent, too many and too large ones."""

    path = PATH


def test_flood_of_pipelined_requests_ends_the_connection(attacked: ServiceProcess) -> None:
    """Hundreds of requests in one piece are not queued."""
    one = b"GET /api/thoughts/ HTTP/1.1\r\nHost: x\r\n"
    # Less than a head may have, whose limit would end the connection, too.
    flood = (one + b"\r\n") * 300 + one + b"Connection: close\r\n\r\n"
    with attacked.http.connection() as connection:
        connection.sendall(flood)
        try:
            answered = read_answer(connection).count(b"HTTP/1.1 200 ")
        except ConnectionResetError:
            answered = 0

    assert answered < 100
    assert attacked.http.get(PATH).status == 200


@pytest.mark.parametrize(
    "sent",
    [
        REFUSED % b"POST" + b"Transfer-Encoding: chunked\r\n\r\nno size\r\n",
        REFUSED % b"GET" + b"\r\nno request\r\n\r\n",
        b"GET /api/thoughts/ HTTP/1.1\r\nHost: x\r\n\r\n" * 18,
    ],
    ids=["malformed chunk", "malformed second request", "too many requests"],
)
def test_refused_connection_is_no_fault(attacked: ServiceProcess, sent: bytes) -> None:
    """A request whose connection is refused before it is answered logs one line and no error."""
    with attacked.http.connection() as connection:
        connection.sendall(sent)
        with suppress(ConnectionResetError):
            read_answer(connection)
    attacked.http.get(PATH, headers={"X-Request-ID": "the-last"})
    attacked.wait_for_line("request", request_id="the-last")

    # The refused one can end after the last one.
    wait_until(lambda: len(attacked.lines("request")) == 2, what=lambda: str(attacked.log))
    assert [line for line in attacked.log if line["level"] == "error"] == []


def test_field_after_the_body_is_no_header(http: HttpClient, sql: Sql, bruce: str) -> None:
    """A trailer is ignored: proxies that replace a header may pass on a trailer of its name."""
    head = (
        b"POST /api/me/thoughts/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        b"Authorization: Bearer %b\r\nContent-Type: application/json\r\n"
        b"X-Request-ID: header\r\nTransfer-Encoding: chunked\r\n\r\n" % bruce.encode()
    )
    with http.connection() as connection:
        connection.sendall(head + b'c\r\n{"text":"a"}\r\n0\r\nX-Request-ID: trailer\r\n\r\n')
        answer = read_answer(connection).lower()

    assert answer.startswith(b"http/1.1 201 ")
    assert b"x-request-id: header\r\n" in answer
