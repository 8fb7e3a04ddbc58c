"""Copies of the project in which tests run the system and its commands."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from local.ports import free_port
from testkit.http_client import HttpClient
from testkit.own_server import temporary_folder
from testkit.waiting import wait_until
from tooling.project import ROOT

PORT_SETTINGS = ("THOUGHTS_PORT", "USERS_PORT", "FRONTEND_PORT", "POSTGRES_PORT")
SHARED_TEXT = "unforgettable"
READY = "MyThoughts is ready"
WAIT_SECONDS = 300


class Run:
    """A command that runs in a tree; its output goes to a file, its standard input is empty."""

    def __init__(
        self, command: list[str], *, tree: Path, output: Path, environment: Mapping[str, str]
    ) -> None:
        self._output = output
        with output.open("w") as stream:
            self._process = subprocess.Popen(
                command,
                cwd=tree,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = self._process.pid

    @property
    def output(self) -> str:
        """Its output so far."""
        return self._output.read_text()

    def wait_for(self, text: str) -> None:
        """Wait until it has printed `text`."""
        wait_until(
            lambda: text in self.output or self._process.poll() is not None,
            what=lambda: f"{text!r} in {self.output}",
            seconds=WAIT_SECONDS,
        )
        assert text in self.output, f"it ended without {text!r}:\n{self.output}"

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def wait(self) -> int:
        """Wait for its end; return the exit status."""
        return self._process.wait(WAIT_SECONDS)

    def descendants(self) -> list[psutil.Process]:
        """Its running descendants."""
        return psutil.Process(self.pid).children(recursive=True)

    def child(self, word: str) -> psutil.Process:
        """The descendant whose command line contains `word`, and whose parents' do not."""
        return next(child for child in self.descendants() if word in " ".join(child.cmdline()))


class Tree:
    """A copy of the project with its own `.local` and free ports for its processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.local = path / ".local"
        self.ports = {name: free_port() for name in PORT_SETTINGS}
        self.runs: list[Run] = []

    def run(self, *command: str, **settings: str) -> Run:
        """Start a command in the tree."""
        ports = {name: str(port) for name, port in self.ports.items()}
        run = Run(
            list(command),
            tree=self.path,
            output=self.path.parent / f"output-{len(self.runs)}.txt",
            environment={**os.environ, **ports, **settings},
        )
        self.runs.append(run)
        return run

    def local_command(self, verb: str, **settings: str) -> Run:
        """Start `python -m local VERB` in the tree, as the Makefile does."""
        return self.run(sys.executable, "-m", "local", verb, **settings)

    def start(self, **settings: str) -> Run:
        """Start the system and wait until it is ready."""
        run = self.local_command("up", **settings)
        run.wait_for(READY)
        return run

    def http(self, service: str) -> HttpClient:
        """A client of `thoughts`, `users` or `frontend`."""
        return HttpClient(f"http://127.0.0.1:{self.ports[f'{service.upper()}_PORT']}")

    def log_in(self, username: str, password: str, **more: str) -> str:
        """The token of a user."""
        body = {"username": username, "password": password, **more}
        answer = self.http("users").post("/api/login/", json=body)
        assert answer.status == 200, answer.text
        return str(answer.json()["Authorized"]).removeprefix("Bearer ")

    def end_runs(self) -> None:
        """Stop everything started here that still runs, including a system in the background."""
        self.local_command("down")
        for run in self.runs:
            run.wait()


def copy_tree(path: Path) -> Path:
    """Copy the files that a clone would have, as they are in the working tree, to `path`."""
    skipped = shutil.ignore_patterns(".*", "__pycache__", "node_modules")
    shutil.copytree(ROOT, path, ignore=skipped)
    return path


def temporary_tree(name: str) -> Iterator[Tree]:
    """Provide a tree in a folder called `name`; at the end stop its processes and delete it."""
    with temporary_folder() as folder:
        tree = Tree(copy_tree(folder / name))
        yield tree
        tree.end_runs()
