"""A service under the supervisor of `make dev` and `make cluster-dev`."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from local.ports import free_port
from local.process import Process
from testkit.http_client import CONNECTION_ERRORS, HttpClient
from testkit.own_server import temporary_folder
from testkit.service_process import ServiceProcess
from testkit.waiting import repeated, wait_until
from tooling.readiness import is_ready
from tooling.supervision import READY, SUPERVISOR

# Listens as a supervisor does, and becomes the process that its arguments name.
_LISTENING = """
import os, socket, sys
os.dup2(socket.create_server(("127.0.0.1", 0)).detach(), 3)
os.set_inheritable(3, True)
os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


class Supervised:
    """A supervisor with its service, not started; `url` is the service's address."""

    def __init__(
        self, command: list[str], environment: Mapping[str, str], folder: Path, python: Path
    ) -> None:
        self.folder = folder
        self.output: list[str] = []
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        address = {"HOST": "127.0.0.1", "PORT": str(port), "PATH": os.defpath}
        self.process = Process(
            "supervisor",
            [sys.executable, SUPERVISOR, "run", folder, python, *command],
            environment={**address, **environment},
            log_path=folder.parent / "supervisor.log",
            on_line=lambda _, line: self.output.append(line),
        )

    def start(self) -> None:
        """Start it and wait until the service answers."""
        self.process.start()
        wait_until(lambda: is_ready(f"{self.url}/healthz"), what=lambda: "\n".join(self.output))

    def ask(self, action: str, *arguments: str, tree: bytes = b"") -> str:
        """Run the supervisor's program with an action; return what it prints."""
        command = [sys.executable, str(SUPERVISOR), action, str(self.folder), *arguments]
        done = subprocess.run(command, input=tree, stdout=subprocess.PIPE, check=True)
        return done.stdout.decode().strip()


@contextmanager
def supervisor_of(
    command: list[str], environment: Mapping[str, str], python: Path = Path(sys.executable)
) -> Iterator[Supervised]:
    """A supervisor, not started, in a temporary folder; ended after the block.

    `command` is the service's, without its `python`.
    """
    with temporary_folder() as parent:
        folder = parent / "supervisor"
        folder.mkdir()
        service = Supervised(command, environment, folder, python)
        try:
            yield service
        finally:
            if service.process.is_running:
                service.process.stop(timeout_seconds=60)


def replace_under_load(service: Supervised, path: str, *, times: int) -> list[object]:
    """Replace the process while clients open connections; return each answer that is not 200.

    One client keeps its connection, and asks just before and after each replacement.
    """

    def ask(client: HttpClient) -> object:
        try:
            return client.get(path).status
        except CONNECTION_ERRORS as error:
            return repr(error)

    kept = HttpClient(service.url, keeps_connections=True)
    with repeated(lambda: ask(HttpClient(service.url)), threads=4) as outcomes:
        for _ in range(times):
            outcomes.append(ask(kept))
            assert service.ask("restart") == READY
            outcomes.append(ask(kept))
    return [outcome for outcome in outcomes if outcome != 200]


def check_replaced_process(service: ServiceProcess) -> None:
    """Check that a process with a successor answers on a kept connection, and ends with it.

    `service` has not been started, and has a minute to drain.
    """
    service.process.command[1:2] = ["-c", _LISTENING, "-m"]
    service.start()
    kept = HttpClient(service.http.base_url, keeps_connections=True)
    before = kept.get("/healthz")

    service.process.signal(signal.SIGTERM)
    # Until it has the signal, it leaves the connection open.
    wait_until(lambda: kept.get("/healthz").headers["Connection"] == "close")

    assert before.headers["Connection"] is None
    assert service.process.wait(timeout_seconds=30) == 0
