"""A connection to a backend: HTTP/1.1, with limits for the whole response.

A socket's own timeout restarts with every received byte: a backend that sends one byte per
second could hold a thread indefinitely. The parser is llhttp, which uvicorn and Node.js use too.
"""

import socket
import time
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

MAX_ANSWER_BYTES = 1_048_576
RECEIVE_BYTES = 65_536


class Request(NamedTuple):
    """A request to a backend; `target` is the path with the query."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""


class Answer(NamedTuple):
    """A backend's answer; the names of `headers` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class UnusableAnswer(Exception):
    """The answer is not HTTP, or too large."""


class Connection:
    """A connection that opens when it is needed and stays open; for one thread at a time."""

    def __init__(self, base_url: str, connect_seconds: float) -> None:
        self._socket: socket.socket | None = None
        url = urlsplit(base_url)
        self._address = url.hostname or "", url.port or 80
        self._host = url.netloc.rpartition("@")[2].encode("idna").decode()
        self._connect_seconds = connect_seconds

    def __del__(self) -> None:
        self._close()

    def exchange(self, request: Request, ends_at: float) -> Answer:
        """Send a request and return the answer, which must be complete at `ends_at` (monotonic).

        Raises `TimeoutError`, `ConnectionError` if the connection breaks, any other `OSError` if
        it cannot be opened, or `UnusableAnswer`.
        """
        is_kept = False
        try:
            connected = self._open(ends_at)
            connected.settimeout(_remaining_seconds(ends_at))
            connected.sendall(self._message(request))
            answer, is_kept = _receive(connected, ends_at)
        finally:
            if not is_kept:
                self._close()
        return answer

    def _open(self, ends_at: float) -> socket.socket:
        if self._socket is not None and not _is_idle(self._socket):
            self._close()
        if self._socket is None:
            timeout = min(self._connect_seconds, _remaining_seconds(ends_at))
            self._socket = socket.create_connection(self._address, timeout)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._socket

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _message(self, request: Request) -> bytes:
        headers = {"Host": self._host, "Accept-Encoding": "identity", **request.headers}
        if request.body:
            headers["Content-Length"] = str(len(request.body))
        lines = [f"{request.method} {request.target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if not all(map(str.isprintable, lines)):
            raise ValueError("a header of a request contains a control character")
        return "\r\n".join([*lines, "", ""]).encode("ascii") + request.body


class _Response:
    """Collects what the parser reads."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.body = b""
        self.has_head = False
        self.is_complete = False

    def on_message_begin(self) -> None:
        if self.is_complete:
            raise UnusableAnswer("more than one answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self.has_head = True

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.is_complete = True

    @property
    def ends_with_connection(self) -> bool:
        """Whether nothing but the end of the connection ends the body (RFC 9112, section 6.3)."""
        framing = {"content-length", "transfer-encoding"}
        return self.has_head and framing.isdisjoint(self.headers)


def _receive(connected: socket.socket, ends_at: float) -> tuple[Answer, bool]:
    """Return the answer, and whether the connection can be used again."""
    response = _Response()
    parser = HttpResponseParser(response)
    received_bytes = 0
    while not response.is_complete:
        connected.settimeout(_remaining_seconds(ends_at))
        data = connected.recv(RECEIVE_BYTES)
        received_bytes += len(data)
        if received_bytes > MAX_ANSWER_BYTES:
            raise UnusableAnswer("the answer is too large")
        if data:
            _feed(parser, data)
        elif response.ends_with_connection:
            break
        else:
            raise ConnectionResetError("the connection ended before the answer did")
    is_kept = (
        response.is_complete
        and parser.get_http_version() == "1.1"
        and response.headers.get("connection", "").lower() != "close"
    )
    return Answer(parser.get_status_code(), response.headers, response.body), is_kept


def _feed(parser: HttpResponseParser, data: bytes) -> None:
    try:
        parser.feed_data(data)
    except (HttpParserError, HttpParserUpgrade) as error:
        raise UnusableAnswer(f"not HTTP: {error}") from error


def _is_idle(connected: socket.socket) -> bool:
    """Whether neither data nor the end of the connection has arrived since the last answer."""
    connected.settimeout(0)
    try:
        connected.recv(1)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _remaining_seconds(ends_at: float) -> float:
    remaining_seconds = ends_at - time.monotonic()
    if remaining_seconds <= 0:
        raise TimeoutError("the answer took too long")
    return remaining_seconds
