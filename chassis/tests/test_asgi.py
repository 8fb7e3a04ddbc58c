"""The ASGI wrappers: ids, problems, limits of time and size."""

import asyncio
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.tests.conftest import Serve
from mythoughts_chassis.asgi import (
    MAX_BODY_BYTES,
    LimitRequests,
    ObserveRequests,
)
from mythoughts_chassis.observation import log_requests_with
from mythoughts_chassis.problems import Conflict
from testkit.http_client import read_answer
from testkit.strange_requests import BAD_HOSTS, GOOD_HOSTS

POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"


def answering(wait_seconds: float = 0, *, waits_first: bool = False) -> ASGIApp:
    """An application that reads the body, waits and answers with its length."""

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        if waits_first:
            await asyncio.sleep(wait_seconds)
        size, more = 0, True
        while more:
            message = await receive()
            size += len(message.get("body", b""))
            more = message.get("more_body", False)
        if not waits_first:
            await asyncio.sleep(wait_seconds)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(size).encode()})

    return app


def raising(error: BaseException) -> ASGIApp:
    """An application that raises instead of answering."""

    async def app(_: Scope, __: Receive, ___: Send) -> None:
        raise error

    return app


def limited(app: ASGIApp, **limits: float) -> ASGIApp:
    """The application with a time limit."""
    return ObserveRequests(LimitRequests(app, **limits))


def test_answer_in_time_is_passed_on(serve: Serve) -> None:
    """An application within its limits is not disturbed."""
    http = serve(limited(answering()))

    assert http.post("/", body=b"12345").body == b"5"


def test_application_that_takes_too_long_is_ended(serve: Serve) -> None:
    """When a request takes too long, the response is 503 with Retry-After."""
    http = serve(limited(answering(60), request_seconds=0.05))

    answer = http.get("/")

    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_client_that_stalls_gets_408(serve: Serve) -> None:
    """A body that does not arrive in time gets 408, and the connection is closed."""
    http = serve(limited(answering(), body_seconds=0.1))

    with http.connection() as connection:
        connection.sendall(POST + b"12345")
        answer = read_answer(connection)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in answer.lower()
    assert b"application/problem+json" in answer


def test_client_that_drips_gets_408(serve: Serve) -> None:
    """The time limit covers the whole body: sending now and then does not extend it."""
    http = serve(limited(answering(), body_seconds=0.3))
    received = b""

    with http.connection() as connection:
        connection.sendall(POST.replace(b"10", b"1000"))
        connection.settimeout(0.02)
        while not received:
            connection.sendall(b"1")
            try:
                received = connection.recv(1024)
            except TimeoutError:
                continue

    assert received.startswith(b"HTTP/1.1 408 ")


def test_slow_body_does_not_count_as_the_applications_time(serve: Serve) -> None:
    """The request's time is paused while the client sends its body."""
    http = serve(limited(answering(), request_seconds=1, body_seconds=30))

    with http.connection() as connection:
        connection.sendall(POST + b"12345")
        connection.settimeout(1.5)
        with pytest.raises(TimeoutError):
            connection.recv(1024)
        connection.sendall(b"67890")
        connection.settimeout(10)
        answer = connection.recv(1024)

    assert answer.startswith(b"HTTP/1.1 200 ")


def test_clock_goes_on_after_the_body(serve: Serve) -> None:
    """After the body, the rest of the request's time counts again."""
    http = serve(limited(answering(60), request_seconds=0.2, body_seconds=30))

    assert http.post("/", body=b"12345").status == 503


def test_largest_body_is_taken(serve: Serve) -> None:
    """A body of exactly the maximum size is read."""
    http = serve(limited(answering()))

    assert http.post("/", body=b"a" * MAX_BODY_BYTES).body == str(MAX_BODY_BYTES).encode()


@pytest.mark.parametrize("chunked", [False, True])
def test_larger_body_is_refused(serve: Serve, chunked: bool) -> None:
    """One byte more gets 413, whether the length is declared or not."""
    body = b"a" * (MAX_BODY_BYTES + 1)
    http = serve(limited(answering()))

    assert http.post("/", body=iter([body]) if chunked else body).status == 413


def test_timeout_of_the_application_itself_is_not_ours(serve: Serve) -> None:
    """A TimeoutError raised by the application is a fault: 500, not 503."""
    http = serve(limited(raising(TimeoutError())))

    assert http.get("/").status == 500


def test_problem_is_answered(serve: Serve) -> None:
    """An uncaught problem is sent as the response."""
    http = serve(ObserveRequests(raising(Conflict("Taken."))))

    answer = http.get("/", headers={"X-Request-ID": "mine"})

    assert answer.status == 409
    assert answer.json() == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "Taken.",
        "request_id": "mine",
    }


def test_unexpected_error_is_hidden(serve: Serve) -> None:
    """A fault of the service gets 500 without any details."""
    http = serve(ObserveRequests(raising(RuntimeError("the secret"))))

    answer = http.get("/")

    assert answer.status == 500
    assert b"secret" not in answer.body


async def _silent(_: Scope, __: Receive, ___: Send) -> None:
    return


def test_application_without_an_answer_is_answered_for(serve: Serve) -> None:
    """An application that ends without a response causes a 500 with its request id."""
    answer = serve(ObserveRequests(_silent)).get("/", headers={"X-Request-ID": "mine"})

    assert (answer.status, answer.headers["X-Request-ID"]) == (500, "mine")
    assert answer.json()["title"] == "Internal Server Error"


@pytest.mark.parametrize("app", [answering(), raising(RuntimeError()), raising(Conflict())])
def test_answer_stands_when_the_log_fails(serve: Serve, app: ASGIApp) -> None:
    """A failed log line does not affect the response."""
    http = serve(ObserveRequests(app))
    expected = http.get("/").status

    def fail(**_: object) -> None:
        raise ValueError("no log")

    previous = log_requests_with(fail)
    try:
        answer = http.get("/", headers={"X-Request-ID": "mine"})
    finally:
        log_requests_with(previous)

    assert (answer.status, answer.headers["X-Request-ID"]) == (expected, "mine")


@pytest.mark.parametrize("lines", BAD_HOSTS)
@pytest.mark.parametrize("target", [b"/", b"http://example.org/"])
def test_request_without_one_good_host_is_refused(
    serve: Serve, lines: bytes, target: bytes
) -> None:
    """No Host, several, or an invalid one gets 400 (RFC 9112, section 3.2)."""
    http = serve(ObserveRequests(answering()))

    with http.connection() as connection:
        connection.sendall(b"GET %b HTTP/1.1\r\n%bConnection: close\r\n\r\n" % (target, lines))
        answer = read_answer(connection)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"x-request-id: " in answer
    assert b"application/problem+json" in answer


@pytest.mark.parametrize("request_bytes", GOOD_HOSTS)
def test_request_with_a_good_host_is_answered(serve: Serve, request_bytes: bytes) -> None:
    """Names, addresses and ports are valid; before HTTP/1.1 the header is optional."""
    http = serve(ObserveRequests(answering()))

    with http.connection() as connection:
        connection.sendall(request_bytes + b"Connection: close\r\n\r\n")
        answer = read_answer(connection)

    assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("wrap", [ObserveRequests, LimitRequests])
async def test_other_events_pass_through(wrap: Any) -> None:
    """The server's startup and shutdown events reach the application unchanged."""
    seen: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend((scope, receive, send))

    async def receive() -> Message:
        return {}

    async def send(_: Message) -> None:
        return None

    scope = {"type": "lifespan"}

    await wrap(app)(scope, receive, send)

    assert seen == [scope, receive, send]
