"""Serves with waitress, and shuts down gracefully.

On SIGTERM, /readyz returns 503 and requests are still served for DRAIN_SECONDS so that load
balancers notice; each response closes its connection. Then no new requests are accepted, and those
in flight are finished. SIGINT stops without that delay.
"""

import signal
import socket
from typing import Any
from wsgiref.types import WSGIApplication

import structlog
from prometheus_client import Gauge
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import BaseWSGIServer, MultiSocketServer, create_server
from waitress.task import ErrorTask

from frontend.serving.health import Readiness
from frontend.serving.observation import SECURITY_HEADERS
from frontend.settings import Settings

_log = structlog.get_logger()

_WAITING = Gauge("frontend_requests_waiting", "Requests waiting for a thread.")

MAX_HEADER_BYTES = 65_536
MAX_BODY_BYTES = 1_048_576
# Longer than proxies keep idle connections, so that they never send a request on one that is
# being closed. A stalled client holds a connection for this long, but no thread.
IDLE_CONNECTION_SECONDS = 75
# What has been written and waits for a client to read it, in memory; more holds a thread.
MAX_WAITING_BYTES = 1_048_576
SLOW_READER_SECONDS = 20
# Below 1024, the common limit of open files per process.
MAX_CONNECTIONS = 900


def listen(settings: Settings) -> socket.socket:
    """Return a socket that listens on the configured address; raises `OSError`."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    return socket.create_server((settings.host, settings.port), family=family)


def make_server(
    app: WSGIApplication, settings: Settings, readiness: Readiness, listener: socket.socket
) -> MultiSocketServer | BaseWSGIServer:
    """Return a server that, when run, serves `app` at `listener`."""
    server = create_server(
        app,
        sockets=[listener],
        threads=settings.threads,
        # Whether browsers use TLS is a setting, never a header, which anybody can send.
        url_scheme="https" if settings.behind_tls else "http",
        ident=None,
        connection_limit=MAX_CONNECTIONS,
        asyncore_use_poll=True,
        channel_timeout=IDLE_CONNECTION_SECONDS,
        max_request_header_size=MAX_HEADER_BYTES,
        max_request_body_size=MAX_BODY_BYTES,
        outbuf_high_watermark=MAX_WAITING_BYTES,
        # Never into a file: the watermark is exceeded by one write at most.
        outbuf_overflow=2 * MAX_WAITING_BYTES,
        # Clients that disconnect, and responses that are cut off, which is logged.
        log_socket_errors=False,
    )
    # For one socket there is one server.
    server.channel_class = _draining_channel(readiness)  # type: ignore[union-attr]
    _WAITING.set_function(lambda: len(server.task_dispatcher.queue))
    return server


class _Parser(HTTPRequestParser):
    """Rejects addresses and lengths that Python rejects, an error that waitress does not handle."""

    def parse_header(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except ValueError:
            raise ParsingError("The request is malformed.") from None


class _Refusal(ErrorTask):
    """An error response by waitress itself, with the same security headers as all others."""

    def execute(self) -> None:
        self.response_headers = [*self.response_headers, *SECURITY_HEADERS]
        super().execute()


def _draining_channel(readiness: Readiness) -> type[HTTPChannel]:
    """Return a connection class that closes after its next response while the service drains."""

    class Channel(HTTPChannel):
        parser_class = _Parser
        error_task_class = _Refusal

        def service(self) -> None:
            if readiness.draining:
                # As if the client had requested it.
                request = self.requests[0]
                request.headers = {**request.headers, "CONNECTION": "close"}
            super().service()

        def write_soon(self, data: Any) -> int:
            """Write data, if need be after waiting until the client has read some.

            waitress alone would wait forever; this raises `TimeoutError`.
            """
            if not self._has_room():
                self._wait_for_room()
            return super().write_soon(data)

        def _wait_for_room(self) -> None:
            self.server.pull_trigger()
            with self.outbuf_lock:
                if self.outbuf_lock.wait_for(self._has_room, SLOW_READER_SECONDS):
                    return
            _log.warning("connection closed", reason="the client reads too slowly")
            self.will_close = True
            self.server.pull_trigger()
            raise TimeoutError("the client reads too slowly")

        def _has_room(self) -> bool:
            return not self.connected or self.total_outbufs_len < MAX_WAITING_BYTES

    return Channel


def serve(app: WSGIApplication, settings: Settings, readiness: Readiness) -> None:
    """Serve until a signal arrives; returns when the requests in flight are answered.

    Raises `OSError` if it cannot listen on the address.
    """
    _stop_on_signals(readiness, settings.drain_seconds)
    listener = listen(settings)
    host, port = listener.getsockname()[:2]
    server = make_server(app, settings, readiness, listener)
    _log.info("serving", host=host, port=port)
    server.run()
    server.close()


def _stop_on_signals(readiness: Readiness, drain_seconds: float) -> None:
    def drain(*_: object) -> None:
        readiness.draining = True
        # A timer of 0 seconds would be disabled.
        signal.setitimer(signal.ITIMER_REAL, max(drain_seconds, 0.001))

    def stop(*_: object) -> None:
        raise SystemExit

    signal.signal(signal.SIGTERM, drain)
    signal.signal(signal.SIGALRM, stop)
    signal.signal(signal.SIGINT, stop)
