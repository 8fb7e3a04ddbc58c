"""A developer who runs `make cluster-dev` in a small working tree, for a pretend cluster."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from testkit.http_client import CONNECTION_ERRORS, HttpClient
from testkit.pretend_cluster import PretendCluster
from testkit.pretend_pod import Pod
from testkit.waiting import wait_until
from tooling.project import ROOT

# A service that starts in less than a second; it answers with its code and counts its starts.
SERVICE = """
import os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from mythoughts_chassis.activation import passed_listener, report_ready
from PACKAGE import text

HERE = Path(__file__).parent

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        files = ",".join(sorted(path.name for path in HERE.glob("templates/*")))
        self.wfile.write(f"{text.TEXT} {files}".encode())

    def log_message(self, *_):
        pass

if sys.argv[1:2] == ["migrate"]:
    revisions = sorted(path.stem for path in HERE.glob("migrations/*.py"))
    Path(os.environ["POD"], "migrated").write_text(" ".join(revisions))
    sys.exit("broken" in revisions)
print(f"started with {text.TEXT}", flush=True)
server = HTTPServer(("", 0), Handler, bind_and_activate=False)
server.socket = passed_listener()
report_ready()
server.serve_forever()
"""


PACKAGES = {
    "frontend": "frontend",
    "thoughts-backend": "thoughts_backend",
    "users-backend": "users_backend",
}


# Much of it is starting programs, which takes long on a busy machine.
WAIT_SECONDS = 300


class Developer:
    """A working tree with services of a few lines, and the verb that runs there."""

    def __init__(self, folder: Path, cluster: PretendCluster) -> None:
        self.tree = folder
        self.cluster = cluster
        self._runs: list[subprocess.Popen[str]] = []

    def package(self, workload: str = "frontend") -> Path:
        """The folder of a service's code."""
        name = PACKAGES[workload]
        return self.tree / "services" / name / "src" / name

    def write_text(self, text: str, workload: str = "frontend") -> None:
        """Save a module, whose text the service answers with."""
        (self.package(workload) / "text.py").write_text(f"TEXT = {text!r}\n")

    def install(self, name: str, script: str) -> None:
        """Put a program on PATH."""
        program = self.cluster.bin / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    def start(self, verb: str = "cluster-dev", **settings: str) -> "Run":
        """Start `make cluster-dev`, or another verb."""
        output = self.tree.parent / f"output-{len(self._runs)}"
        path = f"{self.cluster.bin}:{os.environ['PATH']}"
        with output.open("w") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", "deploy", verb],
                cwd=self.tree,
                env={"PATH": path, "HOME": str(self.tree), "USER": "bruce", **settings},
                stdin=subprocess.PIPE,
                stdout=stream,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        self._runs.append(process)
        return Run(process, output)

    def stop(self) -> None:
        """Stop whatever runs."""
        for process in self._runs:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)


class Run:
    """A run of the verb."""

    def __init__(self, process: subprocess.Popen[str], output: Path) -> None:
        self.process = process
        self._output = output

    @property
    def output(self) -> str:
        """What it has printed."""
        return self._output.read_text()

    def wait_for(self, text: str, *, times: int = 1) -> None:
        """Wait until it has printed a text this many times."""
        wait_until(
            lambda: self.output.count(text) >= times,
            what=lambda: self.output,
            seconds=WAIT_SECONDS,
        )

    def press_enter(self) -> None:
        """Press Enter."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def interrupt(self) -> None:
        """Press Ctrl-C and wait for the end."""
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=60)


def deployment(workload: str) -> dict[str, Any]:
    """A Deployment as the manifests have it."""
    path = ROOT / "services" / PACKAGES[workload] / "kubernetes" / "deployment.yaml"
    described: dict[str, Any] = yaml.safe_load(path.read_text())
    return described


def answer_of(pod: Pod) -> str:
    """The response of the service in a pod.

    Unlike the real services, this one of a few lines does not finish what it has accepted when it
    is stopped; then this asks again.
    """
    answers: list[str] = []

    def ask() -> bool:
        with suppress(*CONNECTION_ERRORS):
            answers.append(HttpClient(pod.url).get("/").text)
        return bool(answers)

    wait_until(ask, what=lambda: "".join(pod.log))
    return answers[0]
