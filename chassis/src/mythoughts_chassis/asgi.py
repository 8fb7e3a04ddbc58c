"""What surrounds the endpoints: request ids, log line, metrics, problems, limits of requests."""

import asyncio
import time
from collections.abc import Iterable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mythoughts_chassis.clients import Client, Network, client_address
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
)

REQUEST_SECONDS = 2.5
BODY_SECONDS = 10.0
MAX_BODY_BYTES = 64 * 1024
CLIENT_CLOSED_REQUEST = 499


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
        ids, host, has_token = _read_headers(scope)
        current_ids.set(ids)

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _completed(message["headers"], ids, has_token=has_token)
            await send(message)

        try:
            if not may_have_host(host, scope["http_version"]):
                raise BadInput(HOST_IS_MISSING)
            await self._app(scope, receive, send_with_id)
            if not status:
                raise RuntimeError("The application did not answer.")
        except ClientDisconnect:
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


async def read_body(request: Request, deadline: asyncio.Timeout) -> bytes:
    """Return the body of a request, whose deadline is paused while the client sends it.

    Raises `RequestTimeout`, `BodyTooLarge` or, if the client disconnects, `ClientDisconnect`.
    """
    loop = asyncio.get_running_loop()
    started, due = loop.time(), deadline.when()
    deadline.reschedule(None)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise BodyTooLarge
    except TimeoutError:
        raise RequestTimeout from None
    if due is not None:
        deadline.reschedule(due + loop.time() - started)
    return bytes(body)


def client_of(request: Request, trusted_proxies: tuple[Network, ...]) -> Client:
    """Return the client of a request that passed through `ObserveRequests`."""
    headers, peer = request.headers, request.client

    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        raise ClientDisconnect

    return Client(
        address=client_address(
            peer and peer.host,
            ", ".join(headers.getlist("x-forwarded-for")),
            trusted_proxies,
        ),
        user_agent=headers.get("user-agent", ""),
        request_id=current_ids.get().request_id,
        gone=gone,
    )


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


def _completed(
    headers: Iterable[tuple[bytes, bytes]], ids: RequestIds, *, has_token: bool
) -> list[tuple[bytes, bytes]]:
    """Return the headers of a response; one to a request with a token must not be stored."""
    completed = [*headers, (b"x-request-id", ids.request_id.encode())]
    if has_token and all(name != b"cache-control" for name, _ in completed):
        completed.append((b"cache-control", b"no-store"))
    return completed


def _read_headers(scope: Scope) -> tuple[RequestIds, str | None, bool]:
    """Return the ids of a request, its `Host`, and whether it has a token."""
    request_id = trace_parent = host = None
    has_token = False
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            request_id = value.decode("latin-1")
        elif name == b"traceparent":
            trace_parent = value.decode("latin-1")
        elif name == b"host":
            text = value.decode("latin-1")
            host = text if host is None else f"{host}, {text}"
        elif name == b"authorization":
            has_token = True
    ids = RequestIds(request_id_of(request_id), trace_parent_of(trace_parent))
    return ids, host, has_token
