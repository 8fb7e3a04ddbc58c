"""The images' health check, as a container engine runs it."""

import os
import socket
import subprocess
import sys

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.tests.conftest import Serve
from local.ports import free_port


def check(port: int) -> "subprocess.CompletedProcess[str]":
    """Run the health check of a service that listens on `port`."""
    return subprocess.run(
        [sys.executable, "-m", "mythoughts_chassis.healthcheck"],
        env={"PATH": os.defpath, "PORT": str(port)},
        capture_output=True,
        text=True,
        check=False,
    )


def answering(status: int) -> ASGIApp:
    """An application that answers `status` at /readyz, and 404 elsewhere."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        found = status if scope["path"] == "/readyz" else 404
        await send({"type": "http.response.start", "status": found, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    return app


def test_ready_service_is_healthy(serve: Serve) -> None:
    """A service that answers 200 at /readyz is healthy."""
    http = serve(answering(200))

    done = check(http.port)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("status", [404, 503])
def test_unready_service_is_not_healthy(serve: Serve, status: int) -> None:
    """Any other response means unhealthy, and is shown."""
    http = serve(answering(status))

    done = check(http.port)

    assert done.returncode == 1
    assert done.stderr.startswith(f"not ready: HTTP {status}")


def test_service_that_does_not_listen_is_not_healthy() -> None:
    """If nothing listens, the reason is shown, without a traceback."""
    done = check(free_port())

    assert done.returncode == 1
    assert done.stderr.startswith("not ready: ")
    assert "Traceback" not in done.stderr


def test_silent_service_is_not_healthy() -> None:
    """A service that accepts the connection but does not respond is given up on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done = check(listener.getsockname()[1])

    assert done.returncode == 1
    assert "timed out" in done.stderr
