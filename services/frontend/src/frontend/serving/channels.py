"""HTTP/1.1 by waitress; you can skip this module when you follow a request.

It adds the limits of the chassis's `connections.py`: waitress itself limits only how long no byte
at all is sent or received.
"""

import math
import socket
import time
from typing import Any
from wsgiref.types import WSGIApplication

import structlog
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, WSGITask

from frontend.serving.health import Readiness
from mythoughts_chassis.connections import (
    FINISH_SECONDS,
    HEADER_SECONDS,
    KEEP_ALIVE_SECONDS,
    LINGER_SECONDS,
    MAX_LINGER_BYTES,
    RESPONSE_SECONDS,
    Connections,
)

# The pause after failing to accept a connection, for example because of too many open files.
PAUSE_SECONDS = 1.0
# How much of a response may wait in memory for a slow client; beyond that, its thread waits.
MAX_WAITING_BYTES = 1_048_576
SLOW_READER_SECONDS = 20
# How long the event loop waits for an event.
LOOP_SECONDS = 1.0

_log = structlog.get_logger()


class _Parser(HTTPRequestParser):
    """Turns errors that Python raises for some addresses and lengths into refusals."""

    def parse_header(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except ValueError:
            raise ParsingError("The request is malformed.") from None


class _Refusal(ErrorTask):
    """An error response by waitress itself, with the same security headers as all others."""

    channel: "Channel"

    def execute(self) -> None:
        self.response_headers = [*self.response_headers, *self.channel.server.constant_headers]
        super().execute()


class _Response(WSGITask):
    """Sends the head of a response together with the beginning of its body.

    Each system call lets another thread take over: with 16 connections, one call fewer saves a page
    7 % of its CPU time.
    """

    channel: "Channel"

    def write(self, data: bytes) -> None:
        """Write a part of the body, and the head before the first."""
        self.channel.pieces = []
        try:
            super().write(data)
        finally:
            pieces, self.channel.pieces = self.channel.pieces, None
            self.channel.write_soon(b"".join(pieces))


class Channel(HTTPChannel):
    """One connection; while the service drains, it closes after its next response."""

    parser_class = _Parser
    task_class = _Response
    error_task_class = _Refusal
    server: "Server"
    # The pieces of a response that are being collected to be sent together.
    pieces: list[bytes] | None = None

    def __init__(self, server: "Server", connection: socket.socket, address: Any) -> None:
        super().__init__(server, connection, address, server.adj, map=server.open_sockets)
        self.address = str(address[0])
        # A request has been refused, and the client may not have finished sending it.
        self._is_refused = self._lingers = False
        self._discarded_bytes = 0
        self._enter(HEADER_SECONDS)
        server.connections.add(self)

    @property
    def is_waiting(self) -> bool:
        """Whether the server waits for the client."""
        return not self.requests

    def drop(self) -> None:
        """Close the connection, at the end of the server's round."""
        self._is_refused = False
        self.server.dropped.append(self)

    def received(self, data: bytes) -> bool:
        """Receive bytes from the client; called by waitress."""
        if self._lingers:
            return self._discard(data)
        before = self.request, self.request is not None and self.request.headers_finished
        is_taken = super().received(data)
        after = self.request, self.request is not None and self.request.headers_finished
        if self.requests:
            self._enter(math.inf)
        elif after != before and self.request is not None:
            self._enter(RESPONSE_SECONDS if self.request.headers_finished else HEADER_SECONDS)
        return is_taken

    def service(self) -> None:
        """Answer the first request, in a thread; called by waitress."""
        request = self.requests[0]
        if self.server.readiness.draining:
            # As if the client had requested it.
            request.headers = {**request.headers, "CONNECTION": "close"}
        is_refused = self._is_refused = request.error is not None
        if is_refused:
            # `handle_close` decides what follows.
            self._enter(KEEP_ALIVE_SECONDS)
        super().service()
        if is_refused:
            return
        if self.will_close:
            self._enter(0)
        elif not self.requests:
            self._enter(KEEP_ALIVE_SECONDS if self.request is None else HEADER_SECONDS)

    def write_soon(self, data: Any) -> int:
        """Write data, after waiting for the client to read some if there is too much unread.

        Raises `TimeoutError` for a slow reader; waitress alone would wait forever.
        """
        if self.pieces is not None:
            self.pieces.append(data)
            return len(data)
        if not self._has_room():
            self._wait_for_room()
        return super().write_soon(data)

    def handle_close(self) -> None:
        """Close the connection; called by waitress when everything has been sent.

        After a refusal, only our direction is closed; the connection follows a little later.
        """
        if self._is_refused and self.connected and self.socket is not None:
            self._is_refused = False
            try:
                self.socket.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            else:
                self._lingers, self.will_close = True, False
                self._enter(LINGER_SECONDS)
                return
        super().handle_close()

    def del_channel(self, map: Any = None) -> None:  # noqa: A002 (waitress's name)
        """Forget the connection, which closes; called by waitress."""
        super().del_channel(map)
        self.server.connections.remove(self)

    def _discard(self, data: bytes) -> bool:
        self._discarded_bytes += len(data)
        if self._discarded_bytes > MAX_LINGER_BYTES:
            self.handle_close()
        return False

    def _wait_for_room(self) -> None:
        self.server.pull_trigger()
        with self.outbuf_lock:
            if self.outbuf_lock.wait_for(self._has_room, SLOW_READER_SECONDS):
                return
        _log.warning("connection closed", reason="the client reads too slowly")
        self.will_close = True
        raise TimeoutError("the client reads too slowly")

    def _has_room(self) -> bool:
        return not self.connected or self.total_outbufs_len < MAX_WAITING_BYTES

    def _enter(self, seconds: float) -> None:
        self.since = time.monotonic()
        self.ends_at = self.since + seconds


class Server(TcpWSGIServer):
    """Serves `app` at `listener`, from `run` until `stop`.

    Its own error responses carry the `constant_headers`. With `has_successor`, another process
    takes new connections once this one drains.
    """

    channel_class = Channel
    has_successor = False
    _is_stopping = False

    def __init__(
        self,
        app: WSGIApplication,
        adjustments: Adjustments,
        readiness: Readiness,
        connections: Connections,
        listener: socket.socket,
        constant_headers: list[tuple[str, str]],
    ) -> None:
        self.constant_headers = constant_headers
        self.readiness = readiness
        self.connections = connections
        self.dropped: list[Channel] = []
        self.open_sockets: dict[int, Any] = {}
        self._accepts_at = self._checks_at = 0.0
        super().__init__(
            app,
            self.open_sockets,
            _sock=listener,
            adj=adjustments,
            bind_socket=False,
            sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
        )

    def run(self) -> None:
        """Serve until `stop`, then finish the requests that have begun to arrive."""
        while not self._is_stopping and not self._is_replaced():
            self._serve_once()
        wasyncore.dispatcher.close(self)
        # The last round may have accepted a connection whose request must still be read.
        self._serve_once(wait_seconds=0)
        ends_at = time.monotonic() + FINISH_SECONDS
        while self._close_idle() and time.monotonic() < ends_at:
            self._serve_once()

    def drain(self) -> None:
        """Report that the service is not ready; may be called by a signal handler."""
        self.readiness.draining = True
        self.pull_trigger()

    def stop(self) -> None:
        """End `run` soon; may be called by a signal handler."""
        self._is_stopping = True
        self.drain()

    def _is_replaced(self) -> bool:
        """Whether a successor has taken over and no connection is left here."""
        return self.has_successor and self.readiness.draining and not self._channels()

    def _close_idle(self) -> list[Channel]:
        """Close the idle connections; return the others."""
        busy = []
        for channel in self._channels():
            if channel.request or channel.requests or channel.total_outbufs_len:
                busy.append(channel)
            else:
                channel.handle_close()
        return busy

    def _channels(self) -> list[Channel]:
        return [one for one in self.open_sockets.values() if isinstance(one, Channel)]

    def _serve_once(self, wait_seconds: float = LOOP_SECONDS) -> None:
        """Wait for events on the connections, and handle them."""
        wasyncore.loop(wait_seconds, use_poll=True, map=self.open_sockets, count=1)
        now = time.monotonic()
        if now >= self._checks_at:
            self._checks_at = now + 1
            self.connections.check()
        # Not earlier: during the round, a new connection could get the same file descriptor.
        while self.dropped:
            self.dropped.pop().handle_close()

    def readable(self) -> bool:
        """Whether to accept connections; called by waitress."""
        if self.has_successor and self.readiness.draining:
            return False
        return time.monotonic() >= self._accepts_at

    def handle_accept(self) -> None:
        """Accept a connection; called by waitress."""
        try:
            accepted = self.accept()
            if accepted is not None:
                self.set_socket_options(accepted[0])
                Channel(self, *accepted)
        except OSError:
            # `check` logs the reason, if it persists.
            self._accepts_at = time.monotonic() + PAUSE_SECONDS
