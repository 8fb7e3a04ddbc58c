"""The HTTP client of the tests, and raw connections for malformed requests."""

import atexit
import json
import select
import socket
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPMessage
from itertools import chain
from typing import Any
from urllib.parse import urlencode, urlsplit

from testkit.waiting import WAIT_SECONDS

# What a request raises when its connection cannot be made or breaks.
CONNECTION_ERRORS = (OSError, HTTPException)

# Connections that are kept open for the next request, by host, port and source.
_idle: defaultdict[str, list[HTTPConnection]] = defaultdict(list)


@dataclass(frozen=True)
class Answer:
    """A response."""

    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        """The body, as text."""
        return self.body.decode()

    def json(self) -> Any:
        """The body, decoded from JSON."""
        return json.loads(self.body)

    @property
    def faulty_fields(self) -> list[str]:
        """The field names in a problem."""
        return [error["field"] for error in self.json().get("errors", [])]


class HttpClient:
    """Sends requests to one service; threads may share it.

    Each request has its own connection, unless the client `keeps_connections`: then they stay open
    and are shared by all such clients of the service. A client never tries twice and follows no
    redirect. `source` is the address that it connects from, such as 127.0.0.2.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        keeps_connections: bool = False,
        source: str = "",
    ) -> None:
        self.base_url = base_url
        self._source = (source, 0) if source else None
        self._site = urlsplit(base_url).netloc
        self._headers = dict(headers or {})
        self._keeps_connections = keeps_connections

    @property
    def port(self) -> int:
        """The port of the service."""
        return urlsplit(self.base_url).port or 80

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        token: str | None = None,
        json: object = None,
        form: Mapping[str, str] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request; `json`, `form` or `body` (bytes, or an iterable: chunked) is its body."""
        sent = {**self._headers, **(headers or {})}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if json is not None:
            sent["Content-Type"], body = "application/json", _encode(json)
        if form is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode(form).encode()
        target = f"{path}?{urlencode(query)}" if query else path
        with self._connected() as connection:
            # A service may answer before it has read the whole body, and close the connection.
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, target, body, sent)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())

    def get(self, path: str, **options: Any) -> Answer:
        """Send a GET."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> Answer:
        """Send a POST."""
        return self.request("POST", path, **options)

    def delete(self, path: str, **options: Any) -> Answer:
        """Send a DELETE."""
        return self.request("DELETE", path, **options)

    @contextmanager
    def connection(self) -> Iterator[socket.socket]:
        """A raw connection."""
        address = (urlsplit(self.base_url).hostname, self.port)
        with socket.create_connection(address, timeout=WAIT_SECONDS) as raw:
            yield raw

    @contextmanager
    def _connected(self) -> Iterator[HTTPConnection]:
        """A connection for one request."""
        idle = _idle[f"{self._site} {self._source}"] if self._keeps_connections else []
        connection = _open_one_of(idle) or HTTPConnection(
            self._site, timeout=WAIT_SECONDS, source_address=self._source
        )
        with ExitStack() as at_the_end:
            at_the_end.callback(connection.close)
            yield connection
            if self._keeps_connections:
                at_the_end.pop_all()
                idle.append(connection)


def _open_one_of(idle: list[HTTPConnection]) -> HTTPConnection | None:
    """Take a connection that the service has not closed: a closed one is readable."""
    # Another thread may take the last one first.
    with suppress(IndexError):
        while True:
            connection = idle.pop()
            if connection.sock and not select.select([connection.sock], [], [], 0)[0]:
                return connection
            connection.close()
    return None


@atexit.register
def _close_idle() -> None:
    for connection in chain.from_iterable(_idle.values()):
        connection.close()


def patiently(send: Callable[..., Answer], path: str, **options: Any) -> Answer:
    """Send a request, and repeat it while it takes too long, as it does when the machine pauses.

    A backend that is still undoing the first attempt refuses the second one's Idempotency-Key. A
    login took too long if it waited in a queue for more than a second; one that finds the queue
    full is refused at once.
    """
    ends_at = time.monotonic() + WAIT_SECONDS
    while True:
        sent_at = time.monotonic()
        answer = send(path, **options)
        has_waited = answer.status == 429 and "RateLimit" not in answer.headers
        is_late = answer.status == 503 and "took too long" in answer.text
        is_late |= has_waited and time.monotonic() - sent_at > 1
        is_early = answer.status == 409 and "still in progress" in answer.text
        if not (is_late or is_early) or time.monotonic() > ends_at:
            return answer
        time.sleep(0.1)


def read_answer(connection: socket.socket) -> bytes:
    """Read from a raw connection until the other side closes it."""
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
    return received


def _encode(value: object) -> bytes:
    return json.dumps(value).encode()
