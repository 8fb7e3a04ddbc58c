"""A connection to a backend: HTTP/1.1, with limits for the whole response.

A socket's own timeout restarts with every received byte: a backend that sends one byte per
second could hold a thread indefinitely. llhttp, the parser of uvicorn and Node.js, reads the
response; it must have a length or be chunked.
"""

import select
import socket
import ssl
import time
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from mythoughts_chassis.connections import MAX_HEADER_BYTES

MAX_RESPONSE_BYTES = 1_048_576
# What the backends accept.
MAX_BODY_BYTES = 65_536

# How `exchange` fails: `ConnectionError` if the connection breaks, `TimeoutError` if the time is
# up, any other `OSError` if it cannot be opened or the backend's certificate is not accepted; the
# parser's errors if the response is unusable.
EXCHANGE_ERRORS = (OSError, HttpParserError, HttpParserUpgrade)


class Request(NamedTuple):
    """A request to a backend; `target` is the path with the query."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""


class Response(NamedTuple):
    """A backend's response; the names of `headers` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class UnsendableRequestError(Exception):
    """A request contains something that no backend accepts; only odd input can cause this."""


class Connection:
    """A connection that opens when it is needed and stays open; for one thread at a time.

    `tls` verifies the backend; without it, the connection is not encrypted.
    """

    def __init__(
        self,
        base_url: str,
        connect_seconds: float,
        tls: ssl.SSLContext | None,
        *,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
    ) -> None:
        self._socket: socket.socket | None = None
        self._connect_seconds = connect_seconds
        self._tls = tls
        self._max_response_bytes = max_response_bytes
        url = urlsplit(base_url)
        self._address = url.hostname or "", port_of(base_url)
        self._host = url.netloc.rpartition("@")[2].encode("idna").decode()

    def exchange(self, request: Request, ends_at: float) -> Response:
        """Return the response, complete at `ends_at` (monotonic).

        Raises `EXCHANGE_ERRORS`, and `UnsendableRequestError` before anything is sent.
        """
        message = self._message(request)
        try:
            connected = self._open(ends_at)
            _send(connected, message, ends_at)
            response = _receive(connected, ends_at, self._max_response_bytes)
        except ssl.SSLEOFError as error:
            self._close()
            raise ConnectionResetError("the connection ended during TLS") from error
        except BaseException:
            self._close()
            raise
        if response.headers.get("connection", "").lower() == "close":
            self._close()
        return response

    def _open(self, ends_at: float) -> socket.socket:
        if self._socket is not None and _is_ready(self._socket, select.POLLIN, seconds=0):
            # The backend has closed it, or sent something unasked.
            self._close()
        if self._socket is None:
            self._socket = self._connected(ends_at)
            # With a timeout, Python makes three system calls to send and three to receive. Each
            # lets another thread take over, which costs 16 busy threads 90 us of CPU per response.
            self._socket.setblocking(False)
        return self._socket

    def _connected(self, ends_at: float) -> socket.socket:
        """Return a new connection to the first address of the backend's name that takes one.

        Each address has `connect_seconds`, and all together what is left of the time. Nothing
        limits the time that it takes to look up the name.
        """
        failure = OSError("the name has no address")
        for *_, address in socket.getaddrinfo(*self._address, type=socket.SOCK_STREAM):
            try:
                return self._connected_to(address[:2], ends_at)
            except OSError as error:
                failure = error
        raise failure

    def _connected_to(self, address: Any, ends_at: float) -> socket.socket:
        """Return a new connection to this address, after the handshake of TLS."""
        ends_at = min(ends_at, time.monotonic() + self._connect_seconds)
        plain = socket.create_connection(address, _seconds_until(ends_at))
        if self._tls is None:
            return plain
        try:
            # The handshake as a whole has this time.
            plain.settimeout(_seconds_until(ends_at))
            return self._tls.wrap_socket(plain, server_hostname=self._address[0])
        except BaseException:
            plain.close()
            raise

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    # A client that is dropped, as in tests, leaves no socket open.
    __del__ = _close

    def _message(self, request: Request) -> bytes:
        headers = {"Host": self._host, "Accept-Encoding": "identity", **request.headers}
        if request.body:
            headers["Content-Length"] = str(len(request.body))
        lines = [f"{request.method} {request.target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join([*lines, "", ""])
        if not (head.isascii() and all(map(str.isprintable, lines))):
            raise UnsendableRequestError("a header contains a character that cannot be sent")
        if len(head) > MAX_HEADER_BYTES or len(request.body) > MAX_BODY_BYTES:
            raise UnsendableRequestError("it is too large")
        return head.encode("ascii") + request.body


class _Collector:
    """Collects what the parser reads."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.body = b""
        self.is_complete = False

    def on_message_begin(self) -> None:
        if self.is_complete:
            raise ValueError("more than one response")

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.is_complete = True


def port_of(base_url: str) -> int:
    """Return the port of an address, or that of its scheme."""
    url = urlsplit(base_url)
    return url.port or (443 if url.scheme == "https" else 80)


def _send(connected: socket.socket, message: bytes, ends_at: float) -> None:
    unsent = memoryview(message)
    while unsent:
        try:
            unsent = unsent[connected.send(unsent) :]
        except (BlockingIOError, ssl.SSLWantWriteError):
            _wait(connected, select.POLLOUT, ends_at)


def _receive(connected: socket.socket, ends_at: float, max_bytes: int) -> Response:
    collected = _Collector()
    parser = HttpResponseParser(collected)
    received_bytes = 0
    while not collected.is_complete:
        _wait(connected, select.POLLIN, ends_at)
        try:
            data = connected.recv(65_536)
        except (BlockingIOError, ssl.SSLWantReadError):
            # A part of a TLS record has arrived, or one that is not the response's.
            continue
        if not data:
            raise ConnectionResetError("the connection ended before the response did")
        parser.feed_data(data)
        received_bytes += len(data)
        if received_bytes > max_bytes:
            raise HttpParserError("the response is too large")
    return Response(parser.get_status_code(), collected.headers, collected.body)


def _wait(connected: socket.socket, event: int, ends_at: float) -> None:
    if not _is_ready(connected, event, _seconds_until(ends_at)):
        raise TimeoutError("the response took too long")


def _is_ready(connected: socket.socket, event: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(connected, event)
    return bool(poll.poll(1000 * seconds))


def _seconds_until(ends_at: float) -> float:
    seconds = ends_at - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("the response took too long")
    return seconds
