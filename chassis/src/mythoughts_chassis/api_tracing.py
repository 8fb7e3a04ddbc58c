"""Tracing of an API: a span for each request, with a child span for each SQL statement."""

from typing import TYPE_CHECKING, Any

import asyncpg
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mythoughts_chassis.asgi import route_of
from mythoughts_chassis.observation import is_unobserved

if TYPE_CHECKING:
    # Not imported at run time: only services that are traced need OpenTelemetry.
    from mythoughts_chassis.tracing import Tracing

    # asyncpg's classes take type parameters in their stubs only.
    _Connection = asyncpg.Connection[asyncpg.Record]
else:
    _Connection = asyncpg.Connection


class TraceRequests:
    """Outermost wrapper; inside it, the request's span replaces the client's `traceparent`."""

    def __init__(self, app: ASGIApp, tracing: "Tracing") -> None:
        self._app = app
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or is_unobserved(scope["path"]):
            await self._app(scope, receive, send)
            return
        status = 0

        async def send_and_note(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        method, headers = scope["method"], MutableHeaders(scope=scope)
        with self._tracing.request(method, scope["path"], headers) as span:
            headers.update(self._tracing.current_headers())
            try:
                await self._app(scope, receive, send_and_note)
            finally:
                # No status means no response: the client disconnected.
                if status:
                    self._tracing.note_response(span, method, status, route_of(scope))


def traced_connection(tracing: "Tracing") -> type[_Connection]:
    """Return a connection class that traces each statement.

    The text of a statement contains no values: they are sent separately.
    """

    class TracedConnection(_Connection):
        async def execute(self, query: str, *values: Any, **options: Any) -> Any:
            with tracing.call(*self._describe(query)):
                return await super().execute(query, *values, **options)

        async def fetch(self, query: str, *values: Any, **options: Any) -> Any:
            with tracing.call(*self._describe(query)):
                return await super().fetch(query, *values, **options)

        async def fetchrow(self, query: str, *values: Any, **options: Any) -> Any:
            with tracing.call(*self._describe(query)):
                return await super().fetchrow(query, *values, **options)

        async def fetchval(self, query: str, *values: Any, **options: Any) -> Any:
            with tracing.call(*self._describe(query)):
                return await super().fetchval(query, *values, **options)

        def _describe(self, query: str) -> tuple[str, dict[str, str | int]]:
            """Return the span's name, such as "SELECT thoughts", and its attributes."""
            text = query.strip()
            # asyncpg has no public names for these, and its stubs omit them.
            database = self._params.database  # type: ignore[attr-defined]
            address = self._addr  # type: ignore[attr-defined]
            host, port = address if isinstance(address, tuple) else (address, 0)
            return f"{text.split(maxsplit=1)[0].rstrip(';')} {database}", {
                "db.system.name": "postgresql",
                "db.namespace": database,
                "db.query.text": text,
                "server.address": host,
                "server.port": port,
            }

    return TracedConnection
