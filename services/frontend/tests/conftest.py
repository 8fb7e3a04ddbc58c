"""A complete Frontend on a free port, between a headless browser and two fake backends."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIApplication

import pytest
from waitress import wasyncore

from frontend.app import create_app
from frontend.serving.health import Readiness
from frontend.serving.server import listen, make_server
from frontend.settings import Settings
from services.frontend.tests.browser import Browser
from services.frontend.tests.fake_backend import FakeThoughtsBackend, FakeUsersBackend
from users_backend.keys import new_private_key, public_part
from users_backend.signing import sign_token


class TokenMint:
    """Creates tokens as the Users Backend does, and others; knows whose each one is."""

    def __init__(self, key: dict[str, Any]) -> None:
        self.key = key
        self.usernames: dict[str, str] = {}

    def token_for(
        self, username: str, changed: dict[str, str] | None = None, *, lifetime_seconds: int = 3600
    ) -> str:
        """Return a token for a user; `changed` claims replace the proper ones."""
        now = int(time.time())
        claims = {
            "iss": "mythoughts",
            "aud": "mythoughts",
            "sub": "3",
            "username": username,
            "iat": now,
            "exp": now + lifetime_seconds,
            "jti": f"{username}-{len(self.usernames)}",
        }
        token = sign_token(claims | (changed or {}), self.key)
        self.usernames[token] = username
        return token


class RunningFrontend:
    """A Frontend, or another application instead, served by waitress in a thread."""

    def __init__(self, settings: Settings, app: WSGIApplication | None = None) -> None:
        self.readiness = Readiness()
        listener = listen(settings)
        self.port = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        app = app or create_app(settings, self.readiness)
        self._server = make_server(app, settings, self.readiness, listener)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close every connection and end the threads."""
        self._stopping.set()
        self._thread.join(10)
        self._server.task_dispatcher.shutdown()

    def _serve(self) -> None:
        connections = self._server._map  # type: ignore[union-attr]  # missing in the stubs
        while not self._stopping.is_set():
            wasyncore.loop(timeout=0.02, map=connections, count=1)
        wasyncore.close_all(connections)


@pytest.fixture(scope="session")
def signing_keys() -> tuple[dict[str, Any], dict[str, Any]]:
    """The accepted key, and another one."""
    return new_private_key(0), new_private_key(0)


@pytest.fixture
def mint(signing_keys: tuple[dict[str, Any], dict[str, Any]]) -> TokenMint:
    """Creates tokens that the Frontend accepts."""
    return TokenMint(signing_keys[0])


@pytest.fixture
def public_keys_path(tmp_path: Path, mint: TokenMint) -> Path:
    """The file with the public keys."""
    path = tmp_path / "public.json"
    path.write_text(json.dumps({"keys": [public_part(mint.key)]}))
    return path


@pytest.fixture
def thoughts(mint: TokenMint) -> Iterator[FakeThoughtsBackend]:
    """A replacement for the Thoughts Backend."""
    backend = FakeThoughtsBackend(mint.usernames.get)
    yield backend
    backend.stop()


@pytest.fixture
def users(mint: TokenMint) -> Iterator[FakeUsersBackend]:
    """A replacement for the Users Backend."""
    backend = FakeUsersBackend(mint.token_for)
    yield backend
    backend.stop()


@pytest.fixture
def settings(
    thoughts: FakeThoughtsBackend, users: FakeUsersBackend, public_keys_path: Path
) -> Settings:
    """Settings with enough time for a healthy backend on any machine."""
    return Settings(
        port=0,
        token_public_keys_path=public_keys_path,
        thoughts_backend_url=thoughts.url,
        users_backend_url=users.url,
        backend_answer_seconds=30.0,
    )


@pytest.fixture
def frontend(settings: Settings) -> Iterator[RunningFrontend]:
    """A running Frontend."""
    running = RunningFrontend(settings)
    yield running
    running.stop()


@pytest.fixture
def browser(frontend: RunningFrontend) -> Iterator[Browser]:
    """A browser that is not logged in."""
    browser = Browser(frontend.url)
    yield browser
    browser.close()


@pytest.fixture
def bruce(browser: Browser, mint: TokenMint) -> Browser:
    """The browser, logged in as bruce."""
    browser.cookies["mythoughts_session"] = mint.token_for("bruce")
    return browser
