"""Assembles an API from its own handlers and the endpoints common to all MyThoughts APIs.

/healthz  /readyz  /metrics  /schema/openapi.json  /schema/swagger
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any

import asyncpg
from litestar import Litestar, Request, Response, get, route
from litestar.datastructures import Headers, State
from litestar.exceptions import HTTPException, MethodNotAllowedException
from litestar.handlers import HTTPRouteHandler

from mythoughts_chassis.asgi import (
    AnswerHead,
    ASGIApp,
    ClientGone,
    LimitRequests,
    ObserveRequests,
    as_problem,
)
from mythoughts_chassis.database import Database
from mythoughts_chassis.observation import current_ids, metrics_page, set_build_info
from mythoughts_chassis.problems import (
    MEDIA_TYPE,
    BadInput,
    MethodNotAllowed,
    NotFound,
    Problem,
    Unavailable,
)
from mythoughts_chassis.settings import ApiSettings
from mythoughts_chassis.swagger import swagger_handlers
from mythoughts_chassis.tokens import TokenVerifier

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]


class Api:
    """One service's API; `app` is the ASGI application.

    The application's state holds `database`, `verifier` and the entries of `state`.
    A `lifespan` opens and closes resources that need the running event loop.
    Set `draining` to make the service unready before it stops. The constructor raises
    `KeySetError` if the public keys cannot be read.
    """

    def __init__(
        self,
        *,
        name: str,
        version: str,
        openapi: dict[str, Any],
        handlers: Sequence[HTTPRouteHandler],
        settings: ApiSettings,
        state: Mapping[str, Any] | None = None,
        lifespan: Sequence[Lifespan] = (),
    ) -> None:
        self.name = name
        self.draining = False
        connection_class, traced = _tracing_of(settings, name, version)
        self._database = Database(
            settings.database_url,
            pool_size=settings.database_pool_size,
            application_name=name,
            connection_class=connection_class,
        )
        verifier = TokenVerifier(
            public_keys_path=settings.token_public_keys_path,
            issuer=settings.token_issuer,
            audience=settings.token_audience,
        )
        own_state = {"database": self._database, "verifier": verifier}
        set_build_info(name, version)
        all_handlers = [
            *handlers,
            *swagger_handlers(openapi),
            *_health_handlers(self),
        ]
        app = Litestar(
            [*_options_handlers(all_handlers), *all_handlers],
            state=State({**own_state, **(state or {})}),
            lifespan=[self._lifespan, *lifespan],
            exception_handlers={Exception: _answer_problem},
            openapi_config=None,
            logging_config=None,
            # `LimitRequests` enforces the limit, also for bodies of unknown length.
            request_max_body_size=None,
        )
        limited = LimitRequests(app)  # type: ignore[arg-type]
        self.app: ASGIApp = traced(ObserveRequests(AnswerHead(limited)))

    async def check_ready(self) -> None:
        """Raise `Unavailable` if the service is draining or cannot serve."""
        if self.draining:
            raise Unavailable("The service is about to stop.")
        await self._database.check_ready()

    @asynccontextmanager
    async def _lifespan(self, _: Litestar) -> AsyncIterator[None]:
        await self._database.open()
        try:
            yield
        finally:
            await self._database.close()


def _tracing_of(
    settings: ApiSettings, name: str, version: str
) -> tuple["type[asyncpg.Connection[asyncpg.Record]]", Callable[[ASGIApp], ASGIApp]]:
    """Return the connection class and the outermost ASGI wrapper, with or without tracing."""
    if settings.otel_exporter_otlp_endpoint is None:
        return asyncpg.Connection, lambda app: app
    # Imported only when needed: the import costs time and memory.
    from mythoughts_chassis.api_tracing import TraceRequests, traced_connection  # noqa: PLC0415
    from mythoughts_chassis.tracing import Tracing  # noqa: PLC0415

    tracing = Tracing(endpoint=settings.otel_exporter_otlp_endpoint, service=name, version=version)
    return traced_connection(tracing), partial(TraceRequests, tracing=tracing)


def _health_handlers(api: Api) -> Sequence[HTTPRouteHandler]:
    @get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @get("/readyz")
    async def readyz() -> dict[str, str]:
        await api.check_ready()
        return {"status": "ready"}

    @get("/metrics")
    async def metrics() -> Response[bytes]:
        content, media_type = metrics_page()
        return Response(content, headers={"Content-Type": media_type})

    return [healthz, readyz, metrics]


def _options_handlers(handlers: Iterable[HTTPRouteHandler]) -> Iterable[HTTPRouteHandler]:
    """Create the OPTIONS handlers; Litestar's own do not see a path's other handlers.

    They must be registered first; otherwise Litestar adds its own.
    """
    methods: dict[str, set[str]] = defaultdict(set)
    for handler in handlers:
        for path in handler.paths:
            methods[path] |= handler.http_methods
    return [_options_handler(path, _allow(methods[path])) for path in methods]


def _options_handler(path: str, allow: str) -> HTTPRouteHandler:
    @route(path, http_method="OPTIONS", status_code=204)
    async def options() -> Response[None]:
        return Response(None, headers={"Allow": allow})

    return options


def _allow(methods: Iterable[str]) -> str:
    allowed = {*methods, "OPTIONS"}
    return ", ".join(sorted(allowed | {"HEAD"} if "GET" in allowed else allowed))


def _answer_problem(_: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    if isinstance(error, ClientGone):
        raise error
    problem = _refusal_of_litestar(error) if isinstance(error, HTTPException) else as_problem(error)
    return Response(
        problem.body(current_ids.get().request_id),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=problem.headers,
    )


def _refusal_of_litestar(error: HTTPException) -> Problem:
    """Translate Litestar's own errors (unknown path or method, bad Host header) to problems."""
    if isinstance(error, MethodNotAllowedException):
        allowed = Headers(error.headers or {})["allow"].split(", ")
        return MethodNotAllowed(headers={"Allow": _allow(allowed)})
    if error.status_code == NotFound.status:
        return NotFound()
    return BadInput(error.detail) if error.status_code < 500 else as_problem(error)
