"""Clients that read a long response slowly or not at all."""

import http.client
import socket
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from frontend.serving import channels
from frontend.serving.observation import observe
from frontend.settings import Settings
from services.frontend.tests.conftest import RunningFrontend
from testkit.http_client import HttpClient
from testkit.waiting import wait_until

# Much more than the buffers of both sides hold.
PART = b"x" * 65_536
PARTS = 1000
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


class LongAnswer:
    """An application with a long body that notes how much of it was made, and its end."""

    def __init__(self) -> None:
        self.parts = PARTS
        self.made = 0
        self.has_ended = False

    def __call__(self, _: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer."""
        start("200 OK", [("Content-Type", "text/plain")])
        return self._parts()

    def _parts(self) -> Iterator[bytes]:
        try:
            for _ in range(self.parts):
                self.made += 1
                yield PART
        finally:
            self.has_ended = True


@pytest.fixture
def answer() -> LongAnswer:
    """The application."""
    return LongAnswer()


@pytest.fixture
def frontend(settings: Settings, answer: LongAnswer) -> Iterator[RunningFrontend]:
    """A Frontend that serves it."""
    running = RunningFrontend(settings, observe(answer, []))
    yield running
    running.stop()


def test_client_that_reads_gets_everything(frontend: RunningFrontend) -> None:
    """A client that reads gets the whole of a response that is longer than what may wait."""
    assert HttpClient(frontend.url).get("/").body == PART * PARTS


def test_client_that_reads_nothing_frees_its_thread(
    frontend: RunningFrontend, answer: LongAnswer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what may wait is made for a client that reads nothing; then it is disconnected."""
    monkeypatch.setattr(channels, "SLOW_READER_SECONDS", 0.2)
    with socket.create_connection(("127.0.0.1", frontend.port), timeout=60) as client:
        client.sendall(GET)
        wait_until(lambda: answer.has_ended)

        response = http.client.HTTPResponse(client)
        response.begin()
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            response.read()

    assert answer.made < PARTS / 2


@pytest.mark.parametrize("parts", [8, 100], ids=["all of it waits", "some of it is not made yet"])
def test_slow_reader_gets_everything_from_a_stopping_server(
    settings: Settings, answer: LongAnswer, monkeypatch: pytest.MonkeyPatch, parts: int
) -> None:
    """What is on its way to a client when the server stops arrives completely."""
    monkeypatch.setattr(channels, "FINISH_SECONDS", 60.0)
    frontend = RunningFrontend(settings, observe(answer, []))
    # Little is on the way; connections inherit this.
    frontend.listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
    answer.parts = parts
    with socket.create_connection(("127.0.0.1", frontend.port), timeout=60) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        client.sendall(GET)
        wait_until(lambda: answer.made >= 8)
        with ThreadPoolExecutor(1) as stopping:
            stopped = stopping.submit(frontend.stop)
            wait_until(lambda: not frontend.is_listening)
            response = http.client.HTTPResponse(client)
            response.begin()

            assert response.read() == PART * parts
            stopped.result()
