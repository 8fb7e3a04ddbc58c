"""Graceful shutdown: unready first, everything answered, exit status 0."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys

import pytest

from services.thoughts_backend.tests.conftest import MakeBackend
from testkit.http_client import HttpClient, read_answer
from testkit.service_process import ServiceProcess
from testkit.thoughts_sql import Sql
from testkit.waiting import wait_until

ENOUGH_SECONDS = "60"


def signalled(backend: ServiceProcess, number: signal.Signals = signal.SIGTERM) -> None:
    """Send the backend a signal and wait until it has received it."""
    heard = len(backend.lines("stopping"))
    backend.process.signal(number)
    wait_until(lambda: len(backend.lines("stopping")) > heard)


@pytest.fixture
def draining(make_backend: MakeBackend) -> ServiceProcess:
    """A backend that has been told to stop and has a minute to drain."""
    backend = make_backend(DRAIN_SECONDS=ENOUGH_SECONDS)
    backend.start()
    signalled(backend)
    return backend


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop_ends_with_status_0(make_backend: MakeBackend, number: signal.Signals) -> None:
    """A backend that is told to stop ends by itself, without errors."""
    backend = make_backend()
    backend.start()
    backend.process.signal(number)

    assert backend.process.wait(timeout_seconds=30) == 0
    assert [line for line in backend.log if line["level"] != "info"] == []


def test_draining_backend_is_not_ready(draining: ServiceProcess) -> None:
    """While it drains, the backend reports that it is not ready, so that balancers turn away."""
    answer = draining.http.get("/readyz")

    assert (answer.status, answer.json()["detail"]) == (503, "The service is shutting down.")


def test_draining_backend_still_serves(draining: ServiceProcess) -> None:
    """While it drains, the backend is alive and answers new requests."""
    statuses = [draining.http.get(path).status for path in ("/healthz", "/api/thoughts/")]

    assert statuses == [200, 200]


def test_draining_backend_ends_the_connections_that_are_used(make_backend: MakeBackend) -> None:
    """A kept connection gets one more response while the backend drains, which closes it."""
    backend = make_backend(DRAIN_SECONDS=ENOUGH_SECONDS)
    backend.start()
    kept = http.client.HTTPConnection("127.0.0.1", backend.http.port, timeout=30)
    headers = [_headers_of(kept)]
    signalled(backend)

    headers.append(_headers_of(kept))

    connected = kept.sock is not None
    kept.close()
    assert [each["Connection"] for each in headers] == [None, "close"]
    assert not connected


def _headers_of(connection: http.client.HTTPConnection) -> http.client.HTTPMessage:
    """The headers of a successful response on this connection."""
    connection.request("GET", "/api/thoughts/")
    with connection.getresponse() as answer:
        assert answer.status == 200
        answer.read()
        return answer.headers


def test_second_signal_ends_the_draining(draining: ServiceProcess) -> None:
    """A second signal stops a draining backend at once, and the status is still 0."""
    draining.process.signal(signal.SIGTERM)

    assert draining.process.wait(timeout_seconds=30) == 0


def test_draining_ends_after_its_time(make_backend: MakeBackend) -> None:
    """Without a second signal the backend stops when its time to drain is over."""
    backend = make_backend(DRAIN_SECONDS="0.3")
    backend.start()
    signalled(backend)

    assert backend.process.wait(timeout_seconds=30) == 0


def test_request_in_flight_is_finished(make_backend: MakeBackend, sql: Sql, bruce: str) -> None:
    """A request in progress when the backend stops gets its response."""
    backend = make_backend()
    backend.start()
    body = b'{"text": "last words"}'
    head = (
        "POST /api/me/thoughts/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {bruce}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with backend.http.connection() as connection:
        connection.sendall(head.encode() + body[:5])
        wait_until_taken(backend.http)
        signalled(backend)
        connection.sendall(body[5:])
        answer = read_answer(connection)

    assert answer.startswith(b"HTTP/1.1 201 ")
    assert backend.process.wait(timeout_seconds=30) == 0
    assert sql.value("SELECT text FROM thoughts") == "last words"


def test_idle_connection_does_not_hold_up_the_stop(make_backend: MakeBackend) -> None:
    """An idle connection is closed, and the backend ends."""
    backend = make_backend()
    backend.start()
    with backend.http.connection() as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        received = connection.recv(4096)
        backend.process.signal(signal.SIGTERM)
        received += read_answer(connection)

    assert received.endswith(b'{"status":"alive"}')
    assert backend.process.wait(timeout_seconds=30) == 0


def test_stopped_backend_takes_no_connection(make_backend: MakeBackend) -> None:
    """After the stop nothing listens any more."""
    backend = make_backend()
    backend.start()
    port = backend.http.port
    backend.stop()

    with socket.socket() as connection, pytest.raises(ConnectionRefusedError):
        connection.connect(("127.0.0.1", port))


def test_signal_during_a_log_line_is_heard(backend_settings: dict[str, str]) -> None:
    """A backend that is told to stop while it writes a log line stops after that line."""
    command = [sys.executable, "-m", "thoughts_backend"]
    environment = {"PATH": os.defpath, "PORT": "0", **backend_settings}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as backend:
        try:
            assert backend.stdout is not None
            port = json.loads(backend.stdout.readline())["port"]
            log_more_than_a_pipe_holds(port)
            backend.send_signal(signal.SIGTERM)
            rest, _ = backend.communicate(timeout=30)
        finally:
            backend.kill()

    assert backend.returncode == 0
    assert b'"stopping"' in rest


def log_more_than_a_pipe_holds(port: int) -> None:
    """Send requests until the backend, whose log is not read, stops answering."""
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        connection.sendall(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n" * 1000)
        with contextlib.suppress(TimeoutError):
            while connection.recv(65536):
                pass


def wait_until_taken(http: HttpClient) -> None:
    """Wait until everything sent before on another connection has been read.

    The backend reads its connections in one loop: when it answers a later one, it has read
    the earlier ones.
    """
    assert http.get("/healthz").status == 200
