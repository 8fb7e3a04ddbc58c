"""Backends whose names have several addresses, and answers over TLS that arrive in pieces."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from chassis.tests.conftest import ServeEndpoints
from mythoughts_chassis.backend_connection import Connection, Request
from mythoughts_chassis.endpoints import get
from mythoughts_chassis.tls import client_context
from testkit.certificates import Authority

NAME = "backend.example"
REQUEST = Request("GET", "/works", {})


@get("/works")
async def works() -> str:
    """Answer."""
    return "yes"


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts no connection and refuses none, because its queue is full."""
    with ExitStack() as opened:
        listener = opened.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def name_has(ports: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the name have an address for each port, in this order."""
    real = socket.getaddrinfo

    def look_up(host: str, *arguments: int, **options: int) -> list[object]:
        if host != NAME:
            return list(real(host, *arguments, **options))
        kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        return [(*kind, ("127.0.0.1", port)) for port in ports]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


def test_address_that_does_not_answer_is_passed_over(
    silent_port: int, serve_endpoints: ServeEndpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the time for a connection the next address is tried."""
    name_has([silent_port, serve_endpoints(works).port], monkeypatch)
    connection = Connection(f"http://{NAME}", connect_seconds=0.2, tls=None)

    assert connection.exchange(REQUEST, time.monotonic() + 60).body == b'"yes"'


def test_all_addresses_share_the_time_of_the_call(
    silent_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many addresses there are, a call does not take longer than it may."""
    name_has([silent_port] * 60, monkeypatch)
    connection = Connection(f"http://{NAME}", connect_seconds=0.5, tls=None)
    call = partial(connection.exchange, REQUEST, time.monotonic() + 1)
    began_at = time.monotonic()

    with pytest.raises(TimeoutError):
        call()

    assert time.monotonic() - began_at < 15


@pytest.mark.parametrize(("size", "piece"), [(300, 7), (900_000, 10_001)])
def test_answer_over_tls_may_arrive_in_any_pieces(tmp_path: Path, size: int, piece: int) -> None:
    """Neither a part of a TLS record nor several of them end or stall the answer."""
    body = bytes(range(256)) * (size // 256 + 1)

    with tls_connection(tmp_path, body, piece=piece, pause_seconds=0.002) as connection:
        answer = connection.exchange(REQUEST, time.monotonic() + 60)

    assert answer.body == body


def test_deadline_covers_a_tls_record_that_drips(tmp_path: Path) -> None:
    """Bytes that do not complete a record do not prolong the time for the answer."""
    began_at = time.monotonic()
    with tls_connection(tmp_path, b"a" * 16_000, piece=1, pause_seconds=0.05) as connection:
        call = partial(connection.exchange, REQUEST, time.monotonic() + 1)

        with pytest.raises(TimeoutError):
            call()

    assert time.monotonic() - began_at < 15


@contextmanager
def tls_connection(
    folder: Path, body: bytes, *, piece: int, pause_seconds: float
) -> Iterator[Connection]:
    """A connection to a backend that answers one request with `body`, in pieces of some bytes."""
    authority = Authority(folder / "ca.pem")
    is_over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            encrypted, answer = ssl.MemoryBIO(), ssl.MemoryBIO()
            server = authority.server_context("127.0.0.1")
            tls = server.wrap_bio(encrypted, answer, server_side=True)
            # A client that gives up closes the connection.
            with suppress(ConnectionError), listener.accept()[0] as accepted:
                for step in (tls.do_handshake, tls.read):
                    _complete(step, accepted, encrypted, answer)
                tls.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                unsent = answer.read()
                while unsent and not is_over.wait(pause_seconds):
                    accepted.sendall(unsent[:piece])
                    unsent = unsent[piece:]

        thread = threading.Thread(target=serve)
        thread.start()
        context = client_context(authority.path)
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        try:
            yield Connection(url, connect_seconds=60, tls=context)
        finally:
            is_over.set()
            thread.join()


def _complete(
    step: Callable[[], object],
    accepted: socket.socket,
    encrypted: ssl.MemoryBIO,
    answer: ssl.MemoryBIO,
) -> None:
    """Repeat `step` of TLS until it has what it needs of the client."""
    while True:
        try:
            step()
        except ssl.SSLWantReadError:
            accepted.sendall(answer.read())
            received = accepted.recv(65_536)
            if not received:
                raise ConnectionResetError from None  # Otherwise this would go on forever.
            encrypted.write(received)
        else:
            return
