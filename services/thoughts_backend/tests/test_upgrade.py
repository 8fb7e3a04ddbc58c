"""Requests that offer another protocol, as some clients do. Both backends have the same server."""

from contextlib import suppress

import pytest

from testkit.http_client import HttpClient, read_answer
from testkit.thoughts_sql import Sql

pytestmark = pytest.mark.security

OFFER = b"Host: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM\r\n"
BODY = b'{"text": "kept"}'
NEXT = b"GET /api/thoughts/?limit=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
SIZED = b"Content-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)


def post(token: str, rest: bytes) -> bytes:
    """A request to share a thought, with an offer; `rest` begins within its head."""
    head = b"POST /api/me/thoughts/ HTTP/1.1\r\n%bAuthorization: Bearer %b\r\n" % (
        OFFER,
        token.encode(),
    )
    return head + b"Content-Type: application/json\r\n" + rest


def statuses(received: bytes) -> list[int]:
    """The statuses of the responses."""
    return [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]]


@pytest.mark.parametrize("rest", [SIZED, CHUNKED], ids=["sized", "chunked"])
@pytest.mark.parametrize("size", [1, 10_000], ids=["byte by byte", "one piece"])
def test_offer_is_declined(http: HttpClient, bruce: str, sql: Sql, rest: bytes, size: int) -> None:
    """The body arrives and the next request is answered, as without the offer."""
    sent = post(bruce, rest) + NEXT
    with http.connection() as connection:
        for start in range(0, len(sent), size):
            connection.sendall(sent[start : start + size])
        received = read_answer(connection)

    assert statuses(received) == [201, 200]
    assert sql.value("SELECT text FROM thoughts") == "kept"


def test_offer_without_a_body_is_declined(http: HttpClient) -> None:
    """The same holds for a GET; a WebSocket is an offer, too."""
    request = b"GET /api/thoughts/ HTTP/1.1\r\n%b\r\n" % OFFER
    with http.connection() as connection:
        connection.sendall(request + request.replace(b"h2c", b"websocket") + NEXT)

        assert statuses(read_answer(connection)) == [200, 200, 200]


def test_body_after_an_offer_is_no_request(http: HttpClient, bruce: str) -> None:
    """A body that looks like a request, and comes after its head has been read, remains a body."""
    body = NEXT.replace(b"Connection: close\r\n", b"")
    length = b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % len(body)
    with http.connection() as connection:
        connection.sendall(post(bruce, length))
        first = connection.recv(1024)
        connection.sendall(body + NEXT)

        assert statuses(first + read_answer(connection)) == [100, 400, 200]


def test_offers_in_one_piece_are_all_declined(http: HttpClient, bruce: str, sql: Sql) -> None:
    """As many requests as may wait can each have an offer."""
    with http.connection() as connection:
        connection.sendall(post(bruce, SIZED) * 16 + NEXT)

        assert statuses(read_answer(connection)) == [201] * 16 + [200]
    assert sql.value("SELECT count(*) FROM thoughts") == 16


def test_flood_of_offers_ends_the_connection(http: HttpClient) -> None:
    """Hundreds in one piece are not queued; the server serves on."""
    flood = b"GET /api/thoughts/ HTTP/1.1\r\n%b\r\n" % OFFER * 1000
    received = b""
    with http.connection() as connection, suppress(ConnectionError):
        connection.sendall(flood)
        received = read_answer(connection)

    assert len(statuses(received)) < 100
    assert http.get("/api/thoughts/").status == 200


def test_large_head_with_an_offer_is_refused(http: HttpClient) -> None:
    """The limit of a head counts what is declined."""
    head = b"GET /api/thoughts/ HTTP/1.1\r\n" + OFFER * 300 + b"\r\n"
    with http.connection() as connection:
        connection.sendall(head)

        assert statuses(read_answer(connection)) == [431]


def test_tunnel_is_refused(http: HttpClient) -> None:
    """CONNECT, which asks for no protocol but for a tunnel, gets 400 and nothing after it does."""
    with http.connection() as connection:
        connection.sendall(b"CONNECT a:1 HTTP/1.1\r\n%b\r\n" % OFFER + NEXT)

        assert statuses(read_answer(connection)) == [400]
