"""A pod of a pretend cluster: its containers are processes of this machine."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local.ports import free_port
from tooling.readiness import is_ready

Json = dict[str, Any]


class Pod:
    """A pod: a folder, a port, and the process of the container that runs."""

    def __init__(
        self, name: str, template: Json, folder: Path, development: Path, images: set[str]
    ) -> None:
        self.development = development
        self.missing_images = images
        self.name = name
        self.template = template
        self.labels = template["metadata"]["labels"]
        self.folder = folder
        self.port = free_port()
        self.log: list[str] = []
        self.states: dict[str, str] = {}
        self.is_ending = False
        self.process: subprocess.Popen[str] | None = None
        (folder / "source").mkdir(parents=True)

    @property
    def url(self) -> str:
        """Where its service answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def takes_code(self) -> bool:
        """Whether it runs the working tree; others only pretend to run."""
        first: Json = self.template["spec"].get("initContainers", [{}])[0]
        return first.get("name") == "source"

    @property
    def is_ready(self) -> bool:
        """Whether its service gets requests."""
        return not self.is_ending and (not self.takes_code or is_ready(f"{self.url}/"))

    def describe(self) -> Json:
        """The pod as the API server describes it."""
        ending = {"deletionTimestamp": "2026-01-01T00:00:00Z"} if self.is_ending else {}
        own = {container["name"] for container in self.template["spec"]["containers"]}

        def statuses(names: set[str]) -> list[Json]:
            return [self._status(name) for name in list(self.states) if name in names]

        return {
            "metadata": {"name": self.name, "labels": self.labels, **ending},
            "spec": self.template["spec"],
            "status": {
                "phase": "Running",
                "initContainerStatuses": statuses(self.states.keys() - own),
                "containerStatuses": statuses(own),
            },
        }

    def _status(self, name: str) -> Json:
        if (state := self.states[name]) == "refused":
            return {"name": name, "state": {"waiting": {"reason": "ErrImagePull"}}}
        return {"name": name, "containerID": f"pretend://{self.name}/{name}", "state": {state: {}}}

    def run(self, on_change: Callable[[], None]) -> None:
        """Run one container after the other, until the pod ends."""
        pods = self.template["spec"]
        for container in (*pods.get("initContainers", []), *pods["containers"]):
            if container["image"] in self.missing_images:
                self.states[container["name"]] = "refused"
                on_change()
                return
            # The kubelet waits ever longer between its attempts: longer than any test.
            if self._run_container(container, on_change) and not self.is_ending:
                self.states[container["name"]] = "waiting"
                on_change()
                return

    def end(self) -> None:
        """End it, as the kubelet does."""
        self.is_ending = True
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)

    def local(self, word: str) -> str:
        """A path of the pod as a path of this machine, anything else unchanged."""
        paths = {
            "python": sys.executable,
            "/source": str(self.folder / "source"),
            "/development": str(self.development),
        }
        for path, here in paths.items():
            word = word.replace(path, here) if word.startswith(path) else word
        return word

    def _run_container(self, container: Json, on_change: Callable[[], None]) -> int:
        package = self.labels["app.kubernetes.io/name"].replace("-", "_")
        command = container.get("command", ["python", "-m", package])
        words = [self.local(word) for word in (*command, *container.get("args", []))]
        variables = {item["name"]: item.get("value", "") for item in container.get("env", [])}
        path = variables.get("PYTHONPATH", "").replace("/source", str(self.folder / "source"))
        self.states[container["name"]] = "running"
        environment = {
            **variables,
            "PATH": os.defpath,
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "PYTHONPATH": path,
            "POD": str(self.folder),
        }
        # A container runs before its program does anything.
        late = ["/bin/sh", "-c", 'sleep 0.3; exec "$@"', "sh", *words]
        with subprocess.Popen(
            late, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as self.process:
            if self.is_ending:
                self.process.terminate()
            on_change()
            self.log.extend(self.process.stdout or ())
        self.states[container["name"]] = "terminated"
        on_change()
        return self.process.returncode
