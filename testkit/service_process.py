"""A service run as operators run it: `python -m PACKAGE`, in its own process."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.ports import free_port
from local.process import Process
from testkit.http_client import HttpClient
from testkit.waiting import WAIT_SECONDS, wait_until
from tooling.readiness import is_ready


class ServiceProcess:
    """A service on a free port; `http` sends requests to it, `log` contains its log lines so far.

    With `arguments` it runs another command instead of serving.
    """

    def __init__(
        self,
        package: str,
        environment: Mapping[str, str],
        *,
        folder: Path,
        arguments: Sequence[str] = (),
    ) -> None:
        self.log: list[dict[str, Any]] = []
        self.output: list[str] = []
        self._process = Process(
            package,
            [sys.executable, "-m", package, *arguments],
            environment={"PATH": os.defpath, "PORT": "0", **environment},
            log_path=folder / f"{package}.log",
            on_line=self._hear,
        )

    @property
    def http(self) -> HttpClient:
        """A client of this service."""
        return _client_at(self.line("serving")["port"])

    @property
    def process(self) -> Process:
        """The process, for signals and its exit status."""
        return self._process

    def start(self) -> None:
        """Start it and wait until it listens."""
        self._process.start()
        self.wait_for_line("serving")

    def start_in_any_form(self, event: str = "serving") -> HttpClient:
        """Start it, whatever its log format, and wait until it listens; return a client."""
        self._process.start()
        wait_until(lambda: self._ports(event), what=self._state)
        return _client_at(self._ports(event)[0])

    def run_to_end(self) -> int:
        """Start it, wait until it ends by itself, and return the exit status."""
        self._process.start()
        return self._process.wait(timeout_seconds=WAIT_SECONDS)

    def stop(self) -> int:
        """Stop it as an orchestrator does; return the exit status."""
        return self._process.stop(timeout_seconds=WAIT_SECONDS)

    def lines(self, event: str, **fields: object) -> list[dict[str, Any]]:
        """The log lines so far with this event and these fields."""
        wanted = {"event": event, **fields}
        return [line for line in list(self.log) if wanted.items() <= line.items()]

    def line(self, event: str, **fields: object) -> dict[str, Any]:
        """The last of `lines`."""
        return self.lines(event, **fields)[-1]

    def wait_for_line(self, event: str, **fields: object) -> dict[str, Any]:
        """Wait for such a log line and return it."""
        wait_until(lambda: self.lines(event, **fields), what=self._state)
        return self.line(event, **fields)

    def _ports(self, event: str) -> list[str]:
        return [re.findall(r"port\W+(\d+)", line)[0] for line in self.output if event in line]

    def _state(self) -> str:
        return f"exit status {self._process.exit_status}:\n" + "\n".join(self.output)

    def _hear(self, _: str, line: str) -> None:
        self.output.append(line)
        if line.startswith("{"):
            self.log.append(json.loads(line))


MakeProcess = Callable[..., ServiceProcess]


@contextmanager
def service_maker(
    package: str, environment: Mapping[str, str], folder: Path
) -> Iterator[MakeProcess]:
    """A function that creates a process of a service, not started, with changed settings.

    What still runs at the end is killed.
    """
    made: list[ServiceProcess] = []

    def make(**settings: str) -> ServiceProcess:
        made.append(ServiceProcess(package, {**environment, **settings}, folder=folder))
        return made[-1]

    yield make
    for service in made:
        if service.process.is_running:
            service.process.kill()


def check_answers_without_a_log(package: str, environment: Mapping[str, str], path: str) -> None:
    """Start a service that cannot log, and check that it answers fully and in time."""
    # Unbuffered, as in containers, each write fails; buffered, each flush does.
    for unbuffered in ("1", ""):
        without_log = {**environment, "PYTHONUNBUFFERED": unbuffered}
        with _running_without_a_log(package, without_log) as http:
            for method, target in (("GET", path), ("HEAD", path), ("GET", "/%E6%B0%B4")):
                answer = http.request(method, target)
                assert answer.status == (200 if target == path else 404)
                assert answer.headers["X-Request-ID"]


@contextmanager
def _running_without_a_log(package: str, environment: Mapping[str, str]) -> Iterator[HttpClient]:
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
    http = _client_at(port)
    try:
        wait_until(lambda: process.poll() is not None or is_ready(f"{http.base_url}/healthz"))
        yield http
    finally:
        process.kill()
        process.wait()


def _client_at(port: int | str) -> HttpClient:
    return HttpClient(f"http://127.0.0.1:{port}")
