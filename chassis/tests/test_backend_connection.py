"""Connecting to a backend whose name has several addresses."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

import pytest

from chassis.tests.conftest import ServeEndpoints
from mythoughts_chassis.backend_connection import Connection, Request
from mythoughts_chassis.endpoints import get

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
