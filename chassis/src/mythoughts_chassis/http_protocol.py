"""HTTP/1.1 for the APIs; you can skip this module when you follow a request.

It is uvicorn's implementation, with the limits of `connections.py`. A request that arrives too late
is answered with 408, headers that are too large with 431, both as plain text, and the connection
closes soon after. uvicorn itself limits neither the time nor the size of the headers, and loses the
body of a request that offers another protocol.
"""

import time
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from mythoughts_chassis.connections import (
    HEADER_SECONDS,
    KEEP_ALIVE_SECONDS,
    LINGER_SECONDS,
    MAX_HEADER_BYTES,
    MAX_LINGER_BYTES,
    RESPONSE_SECONDS,
    Connections,
)

# Beyond this a message, whose body has long been refused, is no longer parsed but discarded.
MAX_PARSED_BYTES = 1024 * 1024
MAX_PIPELINED = 16
INVALID = "Invalid HTTP request received."
# The time in which a client whose connection is dropped can still receive what has been written.
FLUSH_SECONDS = 1.0


class _TooMuch(Exception):
    """Ends the parsing of a request; httptools turns it into one of its own errors."""


class _Trailers(list[tuple[bytes, bytes]]):
    """Takes the fields that follow a chunked body, which uvicorn would add to the headers.

    A proxy that replaces a header, such as `X-Forwarded-For`, may pass on a trailer of that name.
    """

    def append(self, _: tuple[bytes, bytes]) -> None:
        """Ignore a field."""


_TRAILERS = _Trailers()


class HttpProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, connections: Connections, **options: Any) -> None:
        super().__init__(**options)
        self._registry = connections
        self._running: RequestResponseCycle | None = None
        self._is_in_head = self._is_refused = False
        self._chunk_bytes = 0
        self._message_bytes = 0
        self.since = self.ends_at = 0.0

    @property
    def address(self) -> str:
        """The other end of the connection."""
        return self.client[0] if self.client else ""

    @property
    def is_waiting(self) -> bool:
        """Whether the server waits for the client."""
        # None before the first request, whatever the annotation says.
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete or cycle.more_body

    def drop(self) -> None:
        """Close the connection; a request that has begun to arrive is answered with 408."""
        if self._is_in_head:
            self._refuse(408, "The request did not arrive in time.")
        self.transport.close()
        if self.transport.get_write_buffer_size():
            self.loop.call_later(FLUSH_SECONDS, self.transport.abort)

    def connection_made(self, transport: Any) -> None:
        """Take a new connection."""
        super().connection_made(transport)
        self._enter(HEADER_SECONDS)
        self._registry.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._registry.remove(self)
        self._abandon_request()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse bytes from the client, and refuse a head that is too large."""
        self._chunk_bytes = len(data)
        self._message_bytes += len(data)
        if self._is_refused:
            if self._message_bytes > MAX_LINGER_BYTES:
                self.transport.close()
            return
        if self._message_bytes > MAX_PARSED_BYTES:
            self._discard()
            return
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade as offer:
            self._decline(data[offer.args[0] :])
        except HttpParserError:
            self._refuse_invalid()
        if self._is_in_head and self._message_bytes > MAX_HEADER_BYTES:
            self.send_400_response("")

    def on_message_begin(self) -> None:
        """Begin a request with its first byte; this and what follows is called by httptools."""
        super().on_message_begin()
        self._is_in_head = True
        self._message_bytes = self._chunk_bytes
        self._enter(HEADER_SECONDS)

    def on_headers_complete(self) -> None:
        """Hand a request over."""
        # The exact size, which takes longer, only where it can be too large.
        if self._message_bytes > MAX_HEADER_BYTES and self._head_bytes() > MAX_HEADER_BYTES:
            raise _TooMuch
        if self.parser.should_upgrade():
            return
        self._is_in_head = False
        super().on_headers_complete()
        if not self.pipeline:
            self._running = self.cycle
        self.headers = _TRAILERS
        self._enter(RESPONSE_SECONDS)
        if len(self.pipeline) > MAX_PIPELINED:
            self.transport.abort()
            raise _TooMuch

    def on_message_complete(self) -> None:
        """End a request, whose response may have been sent before."""
        if self.parser.should_upgrade():
            return
        super().on_message_complete()
        if self.cycle.response_complete:
            self._enter(KEEP_ALIVE_SECONDS)

    def on_response_complete(self) -> None:
        """Answer, or wait for, the next request; called by uvicorn."""
        if self.pipeline:
            self._running = self.pipeline[-1][0]
        super().on_response_complete()
        if not self.pipeline and not self.cycle.more_body and not self._is_in_head:
            self._enter(KEEP_ALIVE_SECONDS)

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be parsed; called by uvicorn."""
        if self._is_in_head and self._message_bytes > MAX_HEADER_BYTES:
            self._refuse(431, "The headers are too large.")
        else:
            self._refuse(400, msg)

    def _decline(self, rest: bytes) -> None:
        """Parse a request again without its offer of another protocol (RFC 9110, section 7.8).

        httptools takes what follows the head for that protocol, not for the body. As each request
        is parsed again once, `MAX_PIPELINED` also bounds how deep this recurs.
        """
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        if method == b"CONNECT":
            self._refuse_invalid()
            return
        lines = [b"%b %b HTTP/%b" % (method, self.url, version)]
        lines += [b"%b: %b" % field for field in self.headers if field[0] != b"upgrade"]
        self.data_received(b"\r\n".join([*lines, b"", rest]))

    def _refuse_invalid(self) -> None:
        self.logger.warning(INVALID)
        self.send_400_response(INVALID)

    def _discard(self) -> None:
        """Tell the client, once it has its response, that no other follows, and read no further.

        The connection closes at its end: closing it now could destroy the response on its way.
        """
        if self.cycle is not None and self.cycle.response_complete:  # type: ignore[redundant-expr]
            self.transport.write_eof()

    def _abandon_request(self) -> None:
        """Let the request that is being answered end without a response, as if the client had left.

        uvicorn does this only for the last request that has arrived.
        """
        if self._running is not None:
            self._running.disconnected = True
            self._running.message_event.set()

    def _enter(self, seconds: float) -> None:
        self.since = time.monotonic()
        self.ends_at = self.since + seconds

    def _head_bytes(self) -> int:
        # Each line has `: ` and a line break.
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _refuse(self, status: int, text: str) -> None:
        """Send a response, the last one, and discard what the client still sends."""
        if self._is_refused or self.transport.is_closing():
            return
        self._is_refused = True
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", str(len(text)).encode()),
            (b"connection", b"close"),
        ]
        lines = [b"%b: %b\r\n" % header for header in headers]
        self.transport.write(b"".join([STATUS_LINE[status], *lines, b"\r\n", text.encode()]))
        self.transport.write_eof()
        self._abandon_request()
        self._enter(LINGER_SECONDS)
