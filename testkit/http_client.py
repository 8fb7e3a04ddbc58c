"""A plain HTTP client for tests of a running service, and raw sockets for malformed requests."""

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage
from typing import Any
from urllib.parse import urlencode

WAIT_SECONDS = 15


@dataclass(frozen=True)
class Answer:
    """A response."""

    status: int
    headers: HTTPMessage
    body: bytes

    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)

    @property
    def faulty_fields(self) -> list[str]:
        """The field names in a problem."""
        return [error["field"] for error in self.json().get("errors", [])]


class HttpClient:
    """Sends requests to one service, each on its own connection."""

    def __init__(self, port: int) -> None:
        self.port = port

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
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if json is not None:
            sent["Content-Type"], body = "application/json", _encode(json)
        if form is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode(form).encode()
        target = f"{path}?{urlencode(query)}" if query else path
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=WAIT_SECONDS)) as connection:
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
        with socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_SECONDS) as raw:
            yield raw


def read_answer(connection: socket.socket) -> bytes:
    """Read from a raw connection until the other side closes it."""
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
    return received


def _encode(value: object) -> bytes:
    return json.dumps(value).encode()
