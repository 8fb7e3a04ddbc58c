"""Serves with waitress, and shuts down gracefully.

On SIGTERM, /readyz returns 503 and requests are still served for DRAIN_SECONDS so that load
balancers notice; each response closes its connection. Then no new connections are accepted, idle
ones are closed, and requests that have begun to arrive are finished. A second SIGTERM, or SIGINT,
ends the delay. Under a supervisor, which passes the same socket to the next process, this process
accepts no more connections from the first SIGTERM on, and the delay ends with its last connection.
"""

import signal
import socket
from wsgiref.types import WSGIApplication

import structlog
from prometheus_client import Gauge
from waitress.adjustments import Adjustments

from frontend.serving.channels import MAX_WAITING_BYTES, Server
from frontend.serving.health import Readiness
from frontend.serving.observation import SECURITY_HEADERS
from frontend.settings import Settings
from mythoughts_chassis.activation import passed_listener, report_ready
from mythoughts_chassis.commands import CommandError
from mythoughts_chassis.connections import MAX_HEADER_BYTES, Connections, max_connections

_log = structlog.get_logger()

_WAITING = Gauge("frontend_requests_waiting", "Requests waiting for a thread.")

MAX_BODY_BYTES = 1_048_576


def listen(settings: Settings) -> socket.socket:
    """Return a socket that listens on the configured address; raises `CommandError`."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family)
    except OSError as error:
        raise CommandError(f"cannot listen on port {settings.port}: {error}") from error


def make_server(
    app: WSGIApplication, settings: Settings, readiness: Readiness, listener: socket.socket
) -> Server:
    """Return a server that, when run, serves `app` at `listener`."""
    adjustments = Adjustments(
        threads=settings.threads,
        # Whether browsers use TLS is a setting, never a header, which anybody can send.
        url_scheme="https" if settings.behind_tls else "http",
        # `pages/page_request.py` decides which part of X-Forwarded-For to trust.
        clear_untrusted_proxy_headers=False,
        ident=None,
        asyncore_use_poll=True,
        max_request_header_size=MAX_HEADER_BYTES,
        max_request_body_size=MAX_BODY_BYTES,
        outbuf_high_watermark=MAX_WAITING_BYTES,
        # Never spill to a file: one write at most exceeds the watermark.
        outbuf_overflow=2 * MAX_WAITING_BYTES,
        # Clients that disconnect, and responses that broke off, which `observation.py` logs.
        log_socket_errors=False,
    )
    connections = Connections(trusted=settings.trusted_proxies, limit=max_connections())
    server = Server(
        app,
        adjustments,
        readiness,
        connections,
        listener,
        SECURITY_HEADERS + settings.transport_headers,
    )
    _WAITING.set_function(lambda: len(server.task_dispatcher.queue))
    return server


def serve(app: WSGIApplication, settings: Settings, readiness: Readiness) -> None:
    """Serve until a signal arrives; returns when the requests in flight are answered.

    Raises `CommandError` if it cannot listen on the address.
    """
    passed = passed_listener()
    listener = passed or listen(settings)
    host, port = listener.getsockname()[:2]
    server = make_server(app, settings, readiness, listener)
    server.has_successor = passed is not None
    _stop_on_signals(server, settings.drain_seconds)
    _log.info("serving", host=host, port=port)
    report_ready()
    server.run()


def _stop_on_signals(server: Server, drain_seconds: float) -> None:
    def drain(*_: object) -> None:
        # First, because a second SIGTERM may arrive while this runs.
        signal.signal(signal.SIGTERM, stop)
        # A timer of 0 seconds would never go off.
        signal.setitimer(signal.ITIMER_REAL, max(drain_seconds, 0.001))
        server.drain()

    def stop(*_: object) -> None:
        server.stop()

    signal.signal(signal.SIGTERM, drain)
    signal.signal(signal.SIGALRM, stop)
    signal.signal(signal.SIGINT, stop)
