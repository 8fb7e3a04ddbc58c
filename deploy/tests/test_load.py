"""The program of the Job `load`: it counts what came back."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count

import pytest

from local.ports import free_port
from tooling.project import ROOT

PROGRAM = ROOT / "deploy" / "kubernetes" / "load" / "load.py"


class EveryOtherFails(BaseHTTPRequestHandler):
    """Answers 200 and 503 in turns."""

    protocol_version = "HTTP/1.1"
    numbers = count()

    def do_GET(self) -> None:
        """Answer, and keep the connection."""
        self.send_response(503 if next(self.numbers) % 2 else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    """The address of a server, every other response of which is an error."""
    with ThreadingHTTPServer(("127.0.0.1", 0), EveryOtherFails) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/search?search=time"
        server.shutdown()
        thread.join()


def total(url: str) -> str:
    """Run the program with two clients for a second; returns its last line."""
    done = subprocess.run(
        [sys.executable, PROGRAM, url, "2", "1"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.splitlines()[-1]


def test_responses_are_counted_by_status(url: str) -> None:
    """Both statuses are counted, and the times of all."""
    counted = re.fullmatch(
        r"total (\d+) x 200, (\d+) x 503; median \d+ ms, longest \d+ ms", total(url)
    )

    assert counted is not None
    assert abs(int(counted[1]) - int(counted[2])) <= 1


def test_errors_of_connections_are_counted() -> None:
    """While nobody listens, it keeps running, and says what happens."""
    assert re.match(
        r"total \d+ x ConnectionRefusedError;", total(f"http://127.0.0.1:{free_port()}")
    )
