"""ASGI wrappers around the application: request ids, log line, metrics, problems and limits."""

import asyncio
import time

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mythoughts_chassis.observation import (
    HOST_IS_MISSING,
    RequestIds,
    current_ids,
    is_unobserved,
    log_error,
    may_have_host,
    observe_request,
    request_id_of,
    trace_parent_of,
)
from mythoughts_chassis.problems import (
    MEDIA_TYPE,
    BadInput,
    BodyTooLarge,
    InternalError,
    Problem,
    RequestTimeout,
    Unavailable,
)

REQUEST_SECONDS = 2.5
BODY_SECONDS = 10.0
MAX_BODY_BYTES = 64 * 1024
CLIENT_CLOSED_REQUEST = 499


class ClientGone(Exception):
    """The client disconnected before sending its whole body; nobody will read a response."""


class ObserveRequests:
    """Gives each response its `X-Request-ID`, turns errors into problems, logs each request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        method, path = scope["method"], scope["path"]
        status = 0
        ids, host = _read_headers(scope)
        current_ids.set(ids)

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                request_id = (b"x-request-id", ids.request_id.encode())
                message["headers"] = [*message["headers"], request_id]
            await send(message)

        try:
            if not may_have_host(host, scope["http_version"]):
                raise BadInput(HOST_IS_MISSING)
            await self._app(scope, receive, send_with_id)
            if not status:
                raise RuntimeError("The application did not answer.")
        except ClientGone:
            status = CLIENT_CLOSED_REQUEST
        except Exception as error:
            if status:
                raise
            problem = as_problem(error)
            body = problem.body(ids.request_id)
            response = Response(body, problem.status, problem.headers, MEDIA_TYPE)
            await response(scope, receive, send_with_id)
        finally:
            if not is_unobserved(path):
                observe_request(
                    method=method,
                    route=route_of(scope),
                    path=path,
                    status=status,
                    seconds=time.perf_counter() - started,
                )


class LimitRequests:
    """Limits each request: processing time, time to send the body, and size of the body.

    `request_seconds` ends when the response begins. It is paused while the client sends its
    body, which has a limit of its own, `body_seconds`.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        request_seconds: float = REQUEST_SECONDS,
        body_seconds: float = BODY_SECONDS,
    ) -> None:
        self._app = app
        self._request_seconds = request_seconds
        self._body_seconds = body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; raises `Unavailable` if it takes too long."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_in_peace(message: Message) -> None:
            if message["type"] == "http.response.start" and not deadline.expired():
                deadline.reschedule(None)
            await send(message)

        try:
            async with asyncio.timeout(self._request_seconds) as deadline:
                body = _LimitedBody(receive, deadline, self._body_seconds)
                await self._app(scope, body, send_in_peace)
        except TimeoutError as error:
            if not deadline.expired():
                raise
            raise Unavailable("The request took too long. Please try again.") from error


class _LimitedBody:
    """A `receive` that limits the size of the body and the time to send it."""

    def __init__(self, receive: Receive, deadline: asyncio.Timeout, seconds: float) -> None:
        self._receive = receive
        self._deadline = deadline
        self._loop = asyncio.get_running_loop()
        self._bytes = 0
        self._until = self._loop.time() + seconds

    async def __call__(self) -> Message:
        due = self._deadline.when()
        started = self._loop.time()
        self._deadline.reschedule(None)
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            raise RequestTimeout from None
        finally:
            if due is not None:
                self._deadline.reschedule(due + self._loop.time() - started)
        if message["type"] == "http.disconnect":
            raise ClientGone
        self._bytes += len(message.get("body", b""))
        if self._bytes > MAX_BODY_BYTES:
            raise BodyTooLarge
        return message


def route_of(scope: Scope) -> str | None:
    """Return the template of the path that the router found, or None."""
    route = scope.get("route")
    return None if route is None else str(route.path)


def as_problem(error: Exception) -> Problem:
    """Return the error if it is a problem; log anything else and hide it from the client."""
    if isinstance(error, Problem):
        return error
    log_error("unhandled error", error)
    return InternalError()


def _read_headers(scope: Scope) -> tuple[RequestIds, str | None]:
    """Return the ids of a request and its `Host`."""
    request_id = trace_parent = host = None
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            request_id = value.decode("latin-1")
        elif name == b"traceparent":
            trace_parent = value.decode("latin-1")
        elif name == b"host":
            text = value.decode("latin-1")
            host = text if host is None else f"{host}, {text}"
    return RequestIds(request_id_of(request_id), trace_parent_of(trace_parent)), host
