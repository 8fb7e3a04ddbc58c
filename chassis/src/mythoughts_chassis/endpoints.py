"""Endpoints: an endpoint is one typed function, from which it is also documented.

    @get("/api/thoughts/{thought_id}", etag=True, problems=(NotFound,))
    async def get_thought(parts: Parts, thought_id: int) -> Thought:
        \"\"\"Get one thought.\"\"\"
        return await thoughts.get(parts.database, thought_id)

docs/endpoints.md describes the parameters, the results and the options. `openapi` documents the
endpoints, and `api` serves them.
"""

import asyncio
import re
import typing
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from types import MappingProxyType
from typing import Any, Generic, NewType, TypeVar, get_args

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from mythoughts_chassis.asgi import REQUEST_SECONDS, client_of, read_body
from mythoughts_chassis.clients import Client, Network
from mythoughts_chassis.inputs import parse_body, parse_id, parse_query
from mythoughts_chassis.observation import log_audit
from mythoughts_chassis.pagination import Page
from mythoughts_chassis.problems import Forbidden, Problem, Unauthorized, Unavailable
from mythoughts_chassis.static_content import matches_etag
from mythoughts_chassis.tokens import InvalidToken, Principal, TokenVerifier

Caller = NewType("Caller", Principal)
Admin = NewType("Admin", Caller)

JSON = "application/json"
ENDED_SESSIONS_UNKNOWN = (
    "Which sessions have ended is not known at the moment, so only what every user may do is "
    "possible. Please try again."
)

# RFC 6750. `Bearer` may appear twice: users paste the login response, `Bearer TOKEN`, into a field
# of Swagger UI or a generated client, which then sends `Bearer Bearer TOKEN`.
_SCHEME = re.compile(r"Bearer(?: +Bearer)?(?: +|$)", re.IGNORECASE | re.ASCII)

Handler = Callable[..., Awaitable[Any]]
# Takes the parts and the caller as the token describes them; returns the caller as the service
# knows them.
Guard = Callable[[Any, Principal], Awaitable[Principal]]
Content = TypeVar("Content")


@dataclass(frozen=True, slots=True)
class WithHeaders(Generic[Content]):
    """The content of a response, and headers besides those that every response has."""

    content: Content
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RequestHeader:
    """A header as a parameter; `parse` turns its values, in order, into the argument."""

    name: str
    schema: Mapping[str, Any]
    parse: Callable[[list[str]], Any]


@dataclass(frozen=True, slots=True)
class Context:
    """What a service gives its endpoints: its parts, and how to identify callers and clients."""

    parts: Any
    verifier: TokenVerifier
    guard: Guard | None = None
    trusted_proxies: tuple[Network, ...] = ()


class Endpoint:
    """A handler, with what its declaration says."""

    def __init__(
        self,
        handler: Handler,
        *,
        method: str,
        path: str,
        status: int = 200,
        headers: Mapping[str, str] = MappingProxyType({}),
        problems: tuple[type[Problem], ...] = (),
        etag: bool = False,
    ) -> None:
        types = typing.get_type_hints(handler, include_extras=True)
        self.handler = handler
        self.method, self.path = method, path
        self.headers, self.problems = headers, problems
        self.returns = types["return"]
        self.status = 204 if self.returns is type(None) else status
        self.caller = types.get("caller")
        self.ids = [name for name in types if f"{{{name}}}" in path]
        self.request_headers = {
            name: annotation
            for name, wanted in types.items()
            for annotation in get_args(wanted)
            if isinstance(annotation, RequestHeader)
        }
        self.query, self.body = types.get("query"), types.get("body")
        self.etag = etag
        self._takes_parts = "parts" in types
        self._takes_client = types.get("client") is Client

    async def answer(self, request: Request, context: Context) -> Response:
        """Call the handler for a request; raises `Problem`, even if it takes too long."""
        try:
            async with asyncio.timeout(REQUEST_SECONDS) as deadline:
                arguments = {"parts": context.parts} if self._takes_parts else {}
                if self.caller is not None:
                    arguments["caller"] = await self._admit(request, context)
                if self._takes_client:
                    arguments["client"] = client_of(request, context.trusted_proxies)
                await self._read(request, arguments, deadline)
                if self.caller is not None and self.body is not None:
                    # The body may have taken seconds, in which sessions and rights can end.
                    arguments["caller"] = await self._admit(request, context)
                result = await self.handler(**arguments)
        except TimeoutError as error:
            if not deadline.expired():
                raise
            raise Unavailable("The request took too long. Please try again.") from error
        return self._response(request, arguments, result)

    async def _admit(self, request: Request, context: Context) -> Principal:
        """Return the caller as the guard knows them; raises `Problem`."""
        caller = _authenticate(request.scope["headers"], context.verifier)
        if context.guard is not None:
            caller = await context.guard(context.parts, caller)
        if self.caller is Admin and not caller.is_admin:
            address = client_of(request, context.trusted_proxies).address
            subject = f"{self.method} {self.path}"
            log_audit("refused", actor=caller.username, subject=subject, address=address)
            raise Forbidden("Only an admin may do this.")
        if self.caller is Admin and not context.verifier.knows_ended_sessions:
            raise Unavailable(ENDED_SESSIONS_UNKNOWN)
        return caller

    async def _read(
        self, request: Request, arguments: dict[str, Any], deadline: asyncio.Timeout
    ) -> None:
        """Add the arguments that the request holds."""
        for name in self.ids:
            arguments[name] = parse_id(request.path_params[name])
        for name, header in self.request_headers.items():
            arguments[name] = header.parse(request.headers.getlist(header.name))
        if self.query is not None:
            arguments["query"] = parse_query(request.scope["query_string"], self.query)
        if self.body is not None:
            content_type = request.headers.get("content-type", "")
            content = await read_body(request, deadline)
            arguments["body"] = parse_body(content_type, content, self.body)

    def _response(self, request: Request, arguments: dict[str, Any], result: Any) -> Response:
        headers: Mapping[str, str] = {}
        if isinstance(result, Response):
            return result
        if isinstance(result, WithHeaders):
            result, headers = result.content, result.headers
        if isinstance(result, Page):
            if link := arguments["query"].link(self.path, result):
                headers = {**headers, "Link": link}
            result = result.items
        content = b"" if result is None else msgspec.json.encode(result)
        if self.etag:
            return _with_etag(content, headers, request)
        return Response(content, self.status, headers, JSON if content else None)


def get(path: str, **options: Any) -> Callable[[Handler], Endpoint]:
    """Declare an endpoint that reads.

    `options`, as for `post`, `patch` and `delete`: `headers` describes the headers of a
    `WithHeaders`, `problems` are those that the handler raises. With `etag`, a client that already
    has the content gets 304.
    """
    return partial(Endpoint, method="GET", path=path, **options)


def post(path: str, *, status: int = 201, **options: Any) -> Callable[[Handler], Endpoint]:
    """Declare an endpoint that creates or does something."""
    return partial(Endpoint, method="POST", path=path, status=status, **options)


def patch(path: str, **options: Any) -> Callable[[Handler], Endpoint]:
    """Declare an endpoint that changes a part of something."""
    return partial(Endpoint, method="PATCH", path=path, **options)


def delete(path: str, **options: Any) -> Callable[[Handler], Endpoint]:
    """Declare an endpoint that deletes."""
    return partial(Endpoint, method="DELETE", path=path, **options)


def _authenticate(headers: Iterable[tuple[bytes, bytes]], verifier: TokenVerifier) -> Principal:
    """Return the caller of a request with these headers; raises `Unauthorized`."""
    # If there are two, the joined value is not a valid token, so there is no need to choose.
    credentials = b", ".join(value for name, value in headers if name == b"authorization")
    scheme = _SCHEME.match(credentials.decode("latin-1"))
    if scheme is None:
        raise Unauthorized
    try:
        return verifier.verify(scheme.string[scheme.end() :].strip())
    except InvalidToken as error:
        raise Unauthorized("The token is not valid. Log in again.", has_token=True) from error


def _with_etag(content: bytes, headers: Mapping[str, str], request: Request) -> Response:
    headers = {**headers, "ETag": f'"{blake2b(content, digest_size=12).hexdigest()}"'}
    if matches_etag(", ".join(request.headers.getlist("if-none-match")), headers["ETag"]):
        return Response(None, 304, headers)
    return Response(content, 200, headers, JSON)
