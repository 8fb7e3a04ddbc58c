"""Small ASGI applications on a real server, and keys."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from starlette.types import ASGIApp

from mythoughts_chassis.api import router_of
from mythoughts_chassis.asgi import ObserveRequests
from mythoughts_chassis.endpoints import Context, Endpoint, Guard
from mythoughts_chassis.tokens import TokenVerifier
from testkit.http_client import HttpClient
from testkit.token_maker import TokenMaker
from testkit.waiting import wait_until

Serve = Callable[[ASGIApp], HttpClient]
ServeEndpoints = Callable[..., HttpClient]


class _Server:
    """An application, served by uvicorn in a thread on a free port."""

    def __init__(self, app: ASGIApp) -> None:
        config = uvicorn.Config(app, port=0, lifespan="off", log_config=None, access_log=False)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()
        wait_until(lambda: self._server.started)

    @property
    def http(self) -> HttpClient:
        """A client of the application."""
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return HttpClient(f"http://127.0.0.1:{port}")

    def stop(self) -> None:
        """Stop serving."""
        self._server.should_exit = True
        self._thread.join()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A function that serves an ASGI application and returns a client of it."""
    servers: list[_Server] = []

    def start(app: ASGIApp) -> HttpClient:
        servers.append(_Server(app))
        return servers[-1].http

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def token_maker(tmp_path: Path) -> TokenMaker:
    """Keys and tokens for one test."""
    return TokenMaker(tmp_path / "keys")


@pytest.fixture
def verifier(token_maker: TokenMaker) -> TokenVerifier:
    """A verifier with the maker's keys."""
    return TokenVerifier(
        public_keys_path=token_maker.public_path, issuer="mythoughts", audience="mythoughts"
    )


@pytest.fixture
def serve_endpoints(serve: Serve, verifier: TokenVerifier) -> ServeEndpoints:
    """A function that serves endpoints; errors become problems, as in a service."""

    def start(*endpoints: Endpoint, parts: object = None, guard: Guard | None = None) -> HttpClient:
        return serve(ObserveRequests(router_of(endpoints, Context(parts, verifier, guard))))

    return start
