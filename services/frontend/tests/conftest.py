"""A complete Frontend on a free port, between a headless browser and two fake backends."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from wsgiref.types import WSGIApplication

import pytest
from waitress import wasyncore

from frontend.app import create_app, ended_sessions_for
from frontend.backends import http_client
from frontend.serving.health import Readiness
from frontend.serving.server import listen, make_server
from frontend.settings import Settings
from testkit.browser import Browser
from testkit.fake_backend import FakeThoughtsBackend, FakeUsersBackend
from testkit.service_process import MakeProcess, service_maker
from testkit.token_maker import TokenMaker
from testkit.waiting import WAIT_SECONDS, wait_until


class RunningFrontend:
    """A Frontend, or another application instead, served by waitress in a thread."""

    def __init__(self, settings: Settings, app: WSGIApplication | None = None) -> None:
        self.readiness = Readiness()
        self.listener = listen(settings)
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._ended = ended_sessions_for(settings)
        self._ended.__enter__()
        app = app or create_app(settings, self.readiness, self._ended)
        self._server = make_server(app, settings, self.readiness, self.listener)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()

    @property
    def knows_ended_sessions(self) -> bool:
        """Whether it has the list of ended sessions."""
        return self._ended.is_up_to_date

    @property
    def is_listening(self) -> bool:
        """Whether it takes new connections."""
        try:
            socket.create_connection(("127.0.0.1", self.port), WAIT_SECONDS).close()
        except (ConnectionRefusedError, ConnectionResetError):
            return False
        return True

    def stop(self) -> None:
        """Finish the requests, close every connection, and end the threads."""
        self._server.stop()
        self._ended.__exit__(None, None, None)
        self._thread.join(WAIT_SECONDS)
        wasyncore.close_all(self._server.open_sockets)
        self._server.task_dispatcher.shutdown()


@pytest.fixture(scope="session")
def token_maker(tmp_path_factory: pytest.TempPathFactory) -> TokenMaker:
    """Signs tokens that the Frontend accepts."""
    return TokenMaker(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def thoughts() -> Iterator[FakeThoughtsBackend]:
    """A replacement for the Thoughts Backend."""
    backend = FakeThoughtsBackend()
    yield backend
    backend.stop()


@pytest.fixture
def users(token_maker: TokenMaker) -> Iterator[FakeUsersBackend]:
    """A replacement for the Users Backend."""
    backend = FakeUsersBackend(token_maker)
    yield backend
    backend.stop()


@pytest.fixture
def settings(
    thoughts: FakeThoughtsBackend, users: FakeUsersBackend, token_maker: TokenMaker
) -> Settings:
    """Settings with enough time for a healthy backend on any machine."""
    return Settings(
        port=0,
        token_public_keys_path=token_maker.public_path,
        thoughts_backend_url=thoughts.url,
        users_backend_url=users.url,
        backend_connect_seconds=30.0,
        backend_answer_seconds=30.0,
    )


@pytest.fixture
def rare_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Frontend that is created after this leaves a failing backend alone for long."""
    monkeypatch.setattr(http_client, "PROBE_EVERY_SECONDS", WAIT_SECONDS)


def process_environment(
    token_maker: TokenMaker, thoughts: FakeThoughtsBackend, users: FakeUsersBackend
) -> dict[str, str]:
    """The environment of a Frontend in its own process."""
    return {
        "TOKEN_PUBLIC_KEYS_PATH": str(token_maker.public_path),
        "THOUGHTS_BACKEND_URL": thoughts.url,
        "USERS_BACKEND_URL": users.url,
        "BACKEND_ANSWER_SECONDS": "30",
    }


@pytest.fixture
def make_process(
    token_maker: TokenMaker,
    thoughts: FakeThoughtsBackend,
    users: FakeUsersBackend,
    tmp_path: Path,
) -> Iterator[MakeProcess]:
    """A function that creates a Frontend in its own process, with changed settings, not started."""
    environment = process_environment(token_maker, thoughts, users)
    with service_maker("frontend", environment, tmp_path) as make:
        yield make


@pytest.fixture
def frontend(settings: Settings) -> Iterator[RunningFrontend]:
    """A running Frontend."""
    running = RunningFrontend(settings)
    wait_until(lambda: running.knows_ended_sessions)
    yield running
    running.stop()


@pytest.fixture
def browser(frontend: RunningFrontend) -> Browser:
    """A browser that is not logged in."""
    return Browser(frontend.url)


@pytest.fixture
def bruce(browser: Browser, token_maker: TokenMaker) -> Browser:
    """The browser, logged in as bruce."""
    browser.cookies["mythoughts_session"] = token_maker.token("bruce")
    return browser
