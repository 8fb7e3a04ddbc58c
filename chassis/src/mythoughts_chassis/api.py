"""Serves an API: its own endpoints, and those common to all MyThoughts APIs.

/healthz  /readyz  /metrics  /schema/openapi.json  /schema/swagger  /admin/faults
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from mythoughts_chassis.api_tracing import TraceRequests
from mythoughts_chassis.asgi import ObserveRequests
from mythoughts_chassis.database import Database
from mythoughts_chassis.ended_sessions import EndedSessions
from mythoughts_chassis.endpoints import Context, Endpoint, Guard, get
from mythoughts_chassis.faults import FaultSwitches, fault_endpoints
from mythoughts_chassis.housekeeping import keep_house
from mythoughts_chassis.observation import metrics_page
from mythoughts_chassis.problems import MethodNotAllowed, NotFound, Unavailable
from mythoughts_chassis.settings import ApiSettings
from mythoughts_chassis.swagger import swagger_endpoints
from mythoughts_chassis.tokens import TokenVerifier

if TYPE_CHECKING:
    from mythoughts_chassis.tracing import Tracing


class Api:
    """One service's API; `app` is the ASGI application.

    `parts` are the objects that the endpoints use. The `databases` among them, the primary first,
    are closed when the application ends. While it runs, the statements in `housekeeping` delete
    what is old. Tokens of `ended` sessions are refused. The `guard` checks each caller after the
    token; without `ended`, it must refuse ended sessions. Set `draining` to make the service
    unready before it stops. The constructor raises `KeySetError` if the public keys cannot be read.
    """

    def __init__(  # noqa: PLR0913 (it is the assembly)
        self,
        endpoints: Sequence[Endpoint],
        openapi: dict[str, Any],
        settings: ApiSettings,
        *,
        parts: Any,
        databases: Sequence[Database],
        housekeeping: Sequence[str],
        guard: Guard | None = None,
        ended: EndedSessions | None = None,
        tracing: "Tracing | None",
    ) -> None:
        self.draining = False
        self._databases = databases
        self._housekeeping = housekeeping
        self._ended = ended
        verifier = TokenVerifier(
            public_keys_path=settings.token_public_keys_path,
            issuer=settings.token_issuer,
            audience=settings.token_audience,
            ended=ended,
        )
        switches = FaultSwitches() if settings.fault_switches else None
        every = [
            *endpoints,
            *_health_endpoints(self._check_ready),
            *swagger_endpoints(openapi),
            *fault_endpoints(switches, databases[0]),
        ]
        context = Context(parts, verifier, guard, settings.trusted_proxies)
        router = router_of(every, context, lifespan=self._run)
        if switches is not None:
            router = switches.around(router)
        app = ObserveRequests(router)
        self.app: ASGIApp = app if tracing is None else TraceRequests(app, tracing)

    async def _check_ready(self) -> None:
        if self.draining:
            raise Unavailable("The service is shutting down.")
        await self._databases[0].check_ready()

    @asynccontextmanager
    async def _run(self, _: object) -> AsyncIterator[None]:
        with ExitStack() as ending:
            if self._ended is not None:
                ending.enter_context(self._ended)
            for database in self._databases:
                ending.callback(database.close)
            task = asyncio.create_task(keep_house(self._databases[0], self._housekeeping))
            yield
            task.cancel()
            await asyncio.wait([task])


def router_of(
    endpoints: Sequence[Endpoint], context: Context, *, lifespan: Lifespan[Any] | None = None
) -> ASGIApp:
    """Return the application that answers each request by its endpoint, and raises `Problem`.

    A slash at the end of a path makes no difference.
    """
    routes = [
        Route(path, _Resource([e for e in endpoints if e.path == path], context))
        for path in dict.fromkeys(endpoint.path for endpoint in endpoints)
    ]
    router = Router(routes, redirect_slashes=False, default=_not_found, lifespan=lifespan)

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["path"] = scope["path"].rstrip("/") or "/"
        await router(scope, receive, send)

    return call


class _Resource:
    """The endpoints of one path, one for each method."""

    def __init__(self, endpoints: Sequence[Endpoint], context: Context) -> None:
        self._endpoints = {endpoint.method: endpoint for endpoint in endpoints}
        if "GET" in self._endpoints:
            self._endpoints["HEAD"] = self._endpoints["GET"]
        self._allow = {"Allow": ", ".join(sorted({*self._endpoints, "OPTIONS"}))}
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if endpoint := self._endpoints.get(request.method):
            response = await endpoint.answer(request, self._context)
        elif request.method == "OPTIONS":
            response = Response(None, 204, self._allow)
        else:
            raise MethodNotAllowed(headers=self._allow)
        await response(scope, receive, send)


async def _not_found(_: Scope, __: Receive, ___: Send) -> None:
    raise NotFound


def _health_endpoints(check_ready: Callable[[], Awaitable[None]]) -> Sequence[Endpoint]:
    @get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @get("/readyz")
    async def readyz() -> dict[str, str]:
        await check_ready()
        return {"status": "ready"}

    @get("/metrics")
    async def metrics() -> Response:
        content, media_type = metrics_page()
        return Response(content, media_type=media_type)

    return [healthz, readyz, metrics]
