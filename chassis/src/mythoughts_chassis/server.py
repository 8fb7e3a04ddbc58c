"""Serves an API with uvicorn, one worker per process, and stops without losing a request.

On SIGTERM the service reports that it is not ready, keeps serving for `drain_seconds` so that
the load balancer notices, finishes requests in flight, and exits. A second signal ends the wait.

While the service drains, each response also closes its connection (RFC 9112, section 9.6):
clients that keep connections and do not check readiness would otherwise use them until they break.
If a supervisor has passed the socket, the service leaves new connections to its successor from then
on, and stops once it has none left.
"""

import signal
import socket
import time
from functools import partial
from types import FrameType

import structlog
import uvicorn

from mythoughts_chassis.activation import passed_listener, report_ready
from mythoughts_chassis.api import Api
from mythoughts_chassis.browser_headers import EVERY_RESPONSE
from mythoughts_chassis.connections import (
    FINISH_SECONDS,
    KEEP_ALIVE_SECONDS,
    Connections,
    max_connections,
)
from mythoughts_chassis.http_protocol import HttpProtocol
from mythoughts_chassis.settings import ServiceSettings

_log = structlog.get_logger()


def serve(api: Api, settings: ServiceSettings) -> None:
    """Serve until a signal arrives; raises `SystemExit` if the start fails."""
    connections = Connections(trusted=settings.trusted_proxies, limit=max_connections())
    config = uvicorn.Config(
        api.app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=partial(HttpProtocol, connections),  # type: ignore[arg-type]  # called like a class
        ws="none",
        lifespan="on",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=FINISH_SECONDS,
        # `clients` works out the client's address; nothing depends on the scheme.
        proxy_headers=False,
        server_header=False,
        headers=EVERY_RESPONSE + settings.transport_headers,
        access_log=False,
        log_config=None,
    )
    server = _DrainingServer(config, api, connections, settings.drain_seconds)
    server.run(sockets=server.passed)


class _DrainingServer(uvicorn.Server):
    def __init__(
        self, config: uvicorn.Config, api: Api, connections: Connections, drain_seconds: float
    ) -> None:
        super().__init__(config)
        self._api = api
        self._connections = connections
        self._drain_seconds = drain_seconds
        listener = passed_listener()
        self.passed = None if listener is None else [listener]
        self._exit_at: float | None = None
        self._heard: list[signal.Signals] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, log the address, and report readiness; called by uvicorn."""
        await super().startup(sockets)
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        _log.info("serving", host=host, port=port)
        report_ready()

    def handle_exit(self, sig: int, _: FrameType | None) -> None:
        """Start draining; a second signal ends it. Called by uvicorn for SIGTERM and SIGINT.

        The signal is logged later, in `on_tick`: it can arrive while a log line is being written
        and the output's lock is held.
        """
        self._exit_at = time.monotonic() + (0 if self._api.draining else self._drain_seconds)
        self._api.draining = True
        self._heard.append(signal.Signals(sig))

    async def on_tick(self, counter: int) -> bool:
        """Return whether it is time to stop; called by uvicorn ten times a second."""
        if self._is_replaced():
            self.should_exit = True
        while self._heard:
            name = self._heard.pop(0).name
            _log.info("stopping", signal=name, drain_seconds=self._drain_seconds)
            self.config.encoded_headers.append((b"connection", b"close"))
            for server in self.servers if self.passed else ():
                server.close()
            # uvicorn applies these headers at every tenth tick; make this tick one of those.
            counter = 0
        if counter % 10 == 0:
            self._connections.check()
        if self._exit_at is not None and time.monotonic() >= self._exit_at:
            self.should_exit = True
        return await super().on_tick(counter)

    def _is_replaced(self) -> bool:
        """Whether all connections are the successor's.

        Called before the listener is closed: a connection that was accepted just before is not yet
        among the others in that round of the event loop.
        """
        is_listening = any(server.is_serving() for server in self.servers)
        return bool(self.passed) and not is_listening and not self.server_state.connections
