"""The ASGI wrapper around each application: ids and problems."""

import pytest
import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import EventDict, WrappedLogger

from chassis.tests.conftest import Serve
from mythoughts_chassis.asgi import ObserveRequests
from mythoughts_chassis.problems import Conflict
from testkit.http_client import read_answer
from testkit.strange_requests import BAD_HOSTS, GOOD_HOSTS


async def answering(_: Scope, __: Receive, send: Send) -> None:
    """An application that answers."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"answer"})


def raising(error: BaseException) -> ASGIApp:
    """An application that raises instead of answering."""

    async def app(_: Scope, __: Receive, ___: Send) -> None:
        raise error

    return app


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


@pytest.mark.parametrize("app", [answering, raising(RuntimeError()), raising(Conflict())])
def test_answer_stands_when_the_log_fails(serve: Serve, app: ASGIApp) -> None:
    """A failed log line does not affect the response."""
    http = serve(ObserveRequests(app))
    expected = http.get("/").status

    def fail(_: WrappedLogger, __: str, ___: EventDict) -> EventDict:
        raise ValueError("no log")

    structlog.configure(processors=[fail])
    try:
        answer = http.get("/", headers={"X-Request-ID": "mine"})
    finally:
        structlog.reset_defaults()

    assert (answer.status, answer.headers["X-Request-ID"]) == (expected, "mine")


@pytest.mark.parametrize("lines", BAD_HOSTS)
@pytest.mark.parametrize("target", [b"/", b"http://example.org/"])
def test_request_without_one_good_host_is_refused(
    serve: Serve, lines: bytes, target: bytes
) -> None:
    """No Host, several, or an invalid one gets 400 (RFC 9112, section 3.2)."""
    http = serve(ObserveRequests(answering))

    with http.connection() as connection:
        connection.sendall(b"GET %b HTTP/1.1\r\n%bConnection: close\r\n\r\n" % (target, lines))
        answer = read_answer(connection)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"x-request-id: " in answer
    assert b"application/problem+json" in answer


@pytest.mark.parametrize("request_bytes", GOOD_HOSTS)
def test_request_with_a_good_host_is_answered(serve: Serve, request_bytes: bytes) -> None:
    """Names, addresses and ports are valid; before HTTP/1.1 the header is optional."""
    http = serve(ObserveRequests(answering))

    with http.connection() as connection:
        connection.sendall(request_bytes + b"Connection: close\r\n\r\n")
        answer = read_answer(connection)

    assert answer.startswith(b"HTTP/1.1 200 ")


async def test_other_events_pass_through() -> None:
    """The server's startup and shutdown events reach the application unchanged."""
    seen: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend((scope, receive, send))

    async def receive() -> Message:
        return {}

    async def send(_: Message) -> None:
        return None

    scope = {"type": "lifespan"}

    await ObserveRequests(app)(scope, receive, send)

    assert seen == [scope, receive, send]
