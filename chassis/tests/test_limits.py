"""Limits of each request: time to process it, time to send its body, size of the body."""

import asyncio

import msgspec
import pytest

from chassis.tests.conftest import ServeEndpoints
from mythoughts_chassis.asgi import MAX_BODY_BYTES
from mythoughts_chassis.endpoints import get, post
from testkit.http_client import HttpClient, read_answer

HEAD = (
    b"POST /quick HTTP/1.1\r\nHost: x\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
)
BODY = b'{"n": "a"}'


class Text(msgspec.Struct):
    """A body of any size."""

    n: str


@post("/quick", status=200)
async def quick(body: Text) -> dict[str, int]:
    """Answer at once."""
    return {"size": len(body.n)}


@post("/slow")
async def slow(body: Text) -> None:
    """Answer when nobody waits any more."""
    await asyncio.sleep(60)


@get("/slow")
async def slow_to_read() -> None:
    """Answer when nobody waits any more."""
    await asyncio.sleep(60)


@get("/broken")
async def broken() -> None:
    """Fail with the error that a time limit raises."""
    raise TimeoutError


@pytest.fixture
def http(serve_endpoints: ServeEndpoints) -> HttpClient:
    """A client of the endpoints."""
    return serve_endpoints(quick, slow, slow_to_read, broken)


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> "Limit":
    """Sets the limits of one test, in seconds."""
    return Limit(monkeypatch)


class Limit:
    """Sets limits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def __call__(self, *, request: float = 30, body: float = 30) -> None:
        """Give each request this time, and its body that time."""
        self._monkeypatch.setattr("mythoughts_chassis.endpoints.REQUEST_SECONDS", request)
        self._monkeypatch.setattr("mythoughts_chassis.asgi.BODY_SECONDS", body)


def test_answer_in_time_is_passed_on(http: HttpClient) -> None:
    """An endpoint within its limits is not disturbed."""
    assert http.post("/quick", json={"n": "12345"}).json() == {"size": 5}


def test_endpoint_that_takes_too_long_is_ended(http: HttpClient, limit: Limit) -> None:
    """When a request takes too long, the response is 503 with Retry-After."""
    limit(request=0.05)

    answer = http.get("/slow")

    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_client_that_stalls_gets_408(http: HttpClient, limit: Limit) -> None:
    """A body that does not arrive in time gets 408, and the connection is closed."""
    limit(body=0.1)

    with http.connection() as connection:
        connection.sendall(HEAD % 10 + BODY[:5])
        answer = read_answer(connection)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in answer.lower()
    assert b"application/problem+json" in answer


def test_client_that_drips_gets_408(http: HttpClient, limit: Limit) -> None:
    """The time limit covers the whole body: sending now and then does not extend it."""
    limit(body=0.3)
    received = b""

    with http.connection() as connection:
        connection.sendall(HEAD % 1000)
        connection.settimeout(0.02)
        while not received:
            connection.sendall(b"1")
            try:
                received = connection.recv(1024)
            except TimeoutError:
                continue

    assert received.startswith(b"HTTP/1.1 408 ")


def test_slow_body_does_not_count_as_the_requests_time(http: HttpClient, limit: Limit) -> None:
    """The request's time is paused while the client sends its body."""
    limit(request=1)

    with http.connection() as connection:
        connection.sendall(HEAD % 10 + BODY[:5])
        connection.settimeout(1.5)
        with pytest.raises(TimeoutError):
            connection.recv(1024)
        connection.sendall(BODY[5:])
        connection.settimeout(10)
        answer = connection.recv(1024)

    assert answer.startswith(b"HTTP/1.1 200 ")


def test_clock_continues_after_the_body(http: HttpClient, limit: Limit) -> None:
    """After the body, the rest of the request's time counts again."""
    limit(request=0.2)

    assert http.post("/slow", json={"n": "a"}).status == 503


def test_largest_body_is_taken(http: HttpClient) -> None:
    """A body of exactly the maximum size is read."""
    size = MAX_BODY_BYTES - len('{"n": ""}')

    assert http.post("/quick", json={"n": "a" * size}).json() == {"size": size}


@pytest.mark.parametrize("chunked", [False, True])
def test_larger_body_is_refused(http: HttpClient, chunked: bool) -> None:
    """One byte more gets 413, whether the length is declared or not."""
    body = b"a" * (MAX_BODY_BYTES + 1)

    assert http.post("/quick", body=iter([body]) if chunked else body).status == 413


def test_timeout_of_the_endpoint_itself_is_not_ours(http: HttpClient) -> None:
    """A TimeoutError raised by the endpoint is a fault: 500, not 503."""
    assert http.get("/broken").status == 500
