"""Serves an API with uvicorn, one worker a process, and stops without losing a request.

On SIGTERM the service says that it is not ready, goes on serving for `drain_seconds` until
the balancer has noticed, finishes what is in flight, and exits. A second signal ends the wait.

While it drains, each answer also closes its connection (RFC 9112, section 9.6): who keeps
connections and does not ask for readiness would otherwise use one until it breaks.
"""

import signal
import socket
import time
from types import FrameType

import structlog
import uvicorn

from mythoughts_chassis.api import Api
from mythoughts_chassis.settings import ServiceSettings

# Longer than balancers keep idle connections, so that they close them first.
KEEP_ALIVE_SECONDS = 75
# More than any request may take; whoever is still there then, such as a stalled client, is cut.
FINISH_SECONDS = 15

_log = structlog.get_logger()


def serve(api: Api, settings: ServiceSettings) -> None:
    """Serve until a signal; raises `SystemExit` when the start fails."""
    config = uvicorn.Config(
        api.app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=FINISH_SECONDS,
        # Nothing here depends on the client's address or scheme, so no header is believed.
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
    )
    _DrainingServer(config, api, settings.drain_seconds).run()


class _DrainingServer(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, api: Api, drain_seconds: float) -> None:
        super().__init__(config)
        self._api = api
        self._drain_seconds = drain_seconds
        self._exit_at: float | None = None
        self._heard: list[signal.Signals] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, and log where; called by uvicorn."""
        await super().startup(sockets)
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        _log.info("serving", host=host, port=port)

    def handle_exit(self, sig: int, _: FrameType | None) -> None:
        """Begin to drain; a second signal ends that. Called by uvicorn for SIGTERM and SIGINT.

        A signal can come while a log line is being written, so this one's waits for `on_tick`:
        the lock of the output is held.
        """
        self._exit_at = time.monotonic() + (0 if self._api.draining else self._drain_seconds)
        self._api.draining = True
        self._heard.append(signal.Signals(sig))

    async def on_tick(self, counter: int) -> bool:
        """Return whether it is time to stop; called by uvicorn ten times a second."""
        while self._heard:
            name = self._heard.pop(0).name
            _log.info("stopping", signal=name, drain_seconds=self._drain_seconds)
            self.config.encoded_headers = [(b"connection", b"close")]
            # At each tenth tick uvicorn takes these headers over; this one must not wait.
            counter = 0
        if self._exit_at is not None and time.monotonic() >= self._exit_at:
            self.should_exit = True
        return await super().on_tick(counter)
