"""Clients that read a long response slowly or not at all."""

import http.client
import socket
from collections.abc import Iterable, Iterator
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


class LongAnswer:
    """An application with a long body that notes how much of it was made, and its end."""

    def __init__(self) -> None:
        self.made = 0
        self.has_ended = False

    def __call__(self, _: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer."""
        start("200 OK", [("Content-Type", "text/plain")])
        return self._parts()

    def _parts(self) -> Iterator[bytes]:
        try:
            for _ in range(PARTS):
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
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wait_until(lambda: answer.has_ended)

        response = http.client.HTTPResponse(client)
        response.begin()
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            response.read()

    assert answer.made < PARTS / 2
