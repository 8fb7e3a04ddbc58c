"""A service whose log cannot be written, because its reader is gone."""

import os
import subprocess
import sys
from collections.abc import Mapping

from local.ports import free_port
from local.readiness import is_ready
from testkit.http_client import HttpClient
from testkit.waiting import wait_until


def check_answers_without_a_log(package: str, environment: Mapping[str, str], path: str) -> None:
    """Start a service that cannot log, and check that it answers fully and in time."""
    port = free_port()
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.Popen(
        [sys.executable, "-m", package],
        env={**environment, "PORT": str(port)},
        stdout=writing,
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    http = HttpClient(f"http://127.0.0.1:{port}")
    try:
        wait_until(lambda: process.poll() is not None or is_ready(f"{http.base_url}/healthz"))
        for method, target in (("GET", path), ("HEAD", path), ("GET", "/%E6%B0%B4")):
            answer = http.request(method, target)
            assert answer.status == (200 if target == path else 404)
            assert answer.headers["X-Request-ID"]
    finally:
        process.kill()
        process.wait()
