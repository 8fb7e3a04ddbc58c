"""Backends behind https: they are verified, and what is wrong with one is in the log."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from frontend.settings import Settings
from mythoughts_chassis.tls import client_context
from services.frontend.tests.conftest import RunningFrontend
from testkit.browser import Browser, Page
from testkit.certificates import Authority
from testkit.fake_backend import FakeThoughtsBackend

pytestmark = pytest.mark.security

HOST = "127.0.0.1"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority that the Frontend trusts."""
    return Authority(tmp_path_factory.mktemp("tls") / "ca.pem")


@contextmanager
def searched(settings: Settings, url: str, ca_path: Path | None) -> Iterator[Browser]:
    """A browser of a Frontend whose Thoughts Backend is at this address."""
    running = RunningFrontend(replace(settings, thoughts_backend_url=url, backend_ca_path=ca_path))
    yield Browser(running.url)
    running.stop()


def search(settings: Settings, url: str, ca_path: Path | None) -> tuple[Page, str]:
    """Return the search page, and why the backend was away."""
    with searched(settings, url, ca_path) as browser, capture_logs() as log:
        page = browser.get("/search")
    return page, " ".join(line["reason"] for line in log if line["event"] == "backend away")


def test_backend_of_the_authority_is_called(settings: Settings, authority: Authority) -> None:
    """A backend whose certificate the authority signed is called, on one connection."""
    backend = FakeThoughtsBackend(authority.server_context(HOST))
    backend.add("bruce", "Rain")

    with searched(settings, backend.url, authority.path) as browser:
        pages = [browser.get("/search") for _ in range(3)]
        backend.drop_connections()
        pages.append(browser.get("/search"))

    backend.stop()
    assert [page.status for page in pages] == [200] * 4
    assert all("Rain" in page.words for page in pages)


def test_wrong_authority_and_wrong_name_are_told_apart(
    settings: Settings, authority: Authority, tmp_path: Path
) -> None:
    """A certificate of another authority, or for another name, is refused; the log says which."""
    stranger = FakeThoughtsBackend(Authority(tmp_path / "other.pem").server_context(HOST))
    other_name = FakeThoughtsBackend(authority.server_context("thoughts.example"))

    strangers_page, strangers_reason = search(settings, stranger.url, authority.path)
    others_page, others_reason = search(settings, other_name.url, authority.path)
    unknown_page, unknown_reason = search(settings, other_name.url, None)

    calls = stranger.calls + other_name.calls
    for backend in (stranger, other_name):
        backend.stop()
    assert {page.status for page in (strangers_page, others_page, unknown_page)} == {503}
    assert "unable to get local issuer certificate" in strangers_reason
    assert "IP address mismatch" in others_reason
    assert "unable to get local issuer certificate" in unknown_reason
    assert calls == []


def test_backend_without_tls_is_away(
    settings: Settings, authority: Authority, thoughts: FakeThoughtsBackend
) -> None:
    """A backend that does not speak TLS at an https address is not called without it."""
    url = thoughts.url.replace("http:", "https:")

    page, reason = search(settings, url, authority.path)

    assert page.status == 503
    assert "SSL" in reason
    assert thoughts.calls == []


@pytest.mark.parametrize("kind", ["silent", "drips"])
def test_deadline_covers_the_handshake(settings: Settings, authority: Authority, kind: str) -> None:
    """A backend that stalls in the handshake is given up on, whatever it sends."""
    settings = replace(settings, backend_connect_seconds=0.5)
    with socket.create_server((HOST, 0)) as listener, listening(listener, drips=kind == "drips"):
        began_at = time.monotonic()
        url = f"https://{HOST}:{listener.getsockname()[1]}"
        page, reason = search(settings, url, authority.path)
        seconds = time.monotonic() - began_at

    assert page.status == 503
    assert "timed out" in reason
    assert seconds < 20


def test_old_versions_of_tls_are_not_spoken() -> None:
    """Nothing below TLS 1.2 is negotiated, and names are checked."""
    context = client_context(None)

    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED


@contextmanager
def listening(listener: socket.socket, *, drips: bool) -> Iterator[None]:
    """Accept connections and send nothing, or an endless handshake byte by byte."""
    is_over = threading.Event()

    def serve() -> None:
        connections = []
        listener.settimeout(0.05)
        # A record of 16 KiB, of which a byte arrives now and then.
        unsent = b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc"
        while not is_over.is_set():
            try:
                connections.append(listener.accept()[0])
            except TimeoutError:
                for connection in connections if drips else []:
                    try:
                        connection.sendall(unsent[:1] or b"\x00")
                    except OSError:
                        continue
                unsent = unsent[1:] if connections and drips else unsent
        for connection in connections:
            connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    yield
    is_over.set()
    thread.join()
