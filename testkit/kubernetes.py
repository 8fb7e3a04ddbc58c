"""The system as a Kubernetes cluster runs it, by `deploy/kubernetes/overlays/local`.

`MYTHOUGHTS_CONTEXT` names the context of kubectl; the addresses come from the same variables
as for any running system (`conftest`).
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from testkit.installations import stopped
from testkit.system import System
from testkit.waiting import wait_until
from tooling.project import ROOT, SERVICES
from tooling.readiness import is_ready

NAMESPACE = "example"
DEPLOYMENTS = {service.name: service.workload for service in SERVICES}
DATABASES = ("thoughts-database", "users-database")
PUBLIC_KEYS = Path("/etc/mythoughts/token-public-keys/public-keys.json")
ROLLOUT_SECONDS = 180


class Cluster:
    """The overlay `local`, deployed in the cluster of a context of kubectl."""

    def __init__(self, context: str, system: System) -> None:
        self._context = context
        self._system = system

    @property
    def system(self) -> System:
        """How its clients see it."""
        return self._system

    def stop(self, service: str) -> None:
        """Scale the Deployment to no pod, and wait until there is none."""
        self.scale(service, 0)

    def kill(self, service: str, *, pods: int | None = None) -> None:
        """Kill this number of the Deployment's pods, or all of them, without a grace period."""
        names = [pod["metadata"]["name"] for pod in self.pods(service)]
        self.kubectl("delete", "pod", *names[:pods], "--force", "--grace-period=0")

    def restart(self, *services: str) -> None:
        """Roll the Deployments out again, or scale them to one pod if they have none."""
        for service in services:
            if self.lives_of(service):
                self.kubectl("rollout", "restart", _deployment(service))
            else:
                self.scale(service, 1)
        for service in services:
            self.wait_for_rollout(service)
            self.wait_for_answer(service)

    def stop_database(self) -> None:
        """Scale both StatefulSets to no pod."""
        for database in DATABASES:
            self.kubectl("scale", f"statefulset/{database}", "--replicas=0")
        for database in DATABASES:
            self.kubectl("wait", "--for=delete", f"pod/{database}-0", _timeout())

    def start_database(self) -> None:
        """Scale both StatefulSets to one pod."""
        for database in DATABASES:
            self.kubectl("scale", f"statefulset/{database}", "--replicas=1")
        for database in DATABASES:
            self.kubectl("rollout", "status", f"statefulset/{database}", _timeout())

    def is_ready(self, service: str) -> bool:
        """Whether a pod of the service gets requests."""
        status = self.get(_deployment(service))["status"]
        return bool(status.get("readyReplicas"))

    def lives_of(self, service: str) -> list[str]:
        """Each running container's id."""
        return sorted(
            status["containerID"]
            for pod in self.pods(service)
            for status in pod["status"].get("containerStatuses", [])
            if "running" in status["state"]
        )

    def rotate_keys(self, *options: str) -> None:
        """Rotate the overlay's keys; returns when every pod has them and the newest signs."""
        environment = {**os.environ, "CONTEXT": self._context, "YES": "1"}
        if "--drop-old" in options:
            environment["DROP_OLD"] = "1"
        subprocess.run(
            [sys.executable, "-m", "deploy", "rotate-keys"], cwd=ROOT, env=environment, check=True
        )
        keys = (ROOT / "deploy/kubernetes/overlays/local/secrets/public-keys.json").read_bytes()
        for service in DEPLOYMENTS:
            wait_until(
                lambda: all(
                    self.file_in(pod, PUBLIC_KEYS).strip() == keys.strip()
                    for pod in self.pods(service)  # noqa: B023
                ),
                what=f"the keys are in {service}",
                seconds=ROLLOUT_SECONDS,
            )
        newest = max(key.get("nbf", 0) for key in msgspec.json.decode(keys)["keys"])
        time.sleep(max(0.0, newest + 1 - time.time()))

    def log_of(self, service: str) -> str:
        """What its pods have written."""
        return self.kubectl("logs", "--selector", _label(service), "--tail=-1")

    def init_log_of(self, pod: dict[str, Any], container: str) -> str:
        """What an init container of a pod has written; nothing before it has started."""
        command = self._command("logs", pod["metadata"]["name"], "--container", container)
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    def restore(self) -> None:
        """Start what does not run, and remove the pods that a test has added."""
        self.start_database()
        self.restart(*stopped(self))
        for service in DEPLOYMENTS:
            if len(self.pods(service)) > 1:
                self.scale(service, 1)
            self.wait_for_answer(service)

    def scale(self, service: str, pods: int) -> None:
        """Scale the service; returns when it has exactly this number of pods, all ready."""
        self.kubectl("scale", _deployment(service), f"--replicas={pods}")
        self.wait_for_rollout(service)
        wait_until(
            lambda: len(self.pods(service)) == pods,
            what=f"{service} has {pods} pods",
            seconds=ROLLOUT_SECONDS,
        )

    def wait_for_rollout(self, service: str) -> None:
        """Wait until every pod is of the newest template and ready."""
        self.kubectl("rollout", "status", _deployment(service), _timeout())

    def wait_for_answer(self, service: str) -> None:
        """Wait until the service answers: nodes learn of a ready pod a moment later."""
        url = f"{self._system.url_of(service)}/readyz"
        wait_until(lambda: is_ready(url), what=f"{service} answers", seconds=ROLLOUT_SECONDS)

    def template_of(self, service: str) -> Any:
        """The Deployment's pod template."""
        return self.get(_deployment(service))["spec"]["template"]

    def undo_rollout(self, service: str) -> None:
        """Go back to the previous template; returns when its pods are ready."""
        self.kubectl("rollout", "undo", _deployment(service))
        self.wait_for_rollout(service)

    def set_variable(self, service: str, name: str, value: str) -> None:
        """Set a variable in the environment of the service's own container."""
        container = f"--containers={DEPLOYMENTS[service]}"
        self.kubectl("set", "env", _deployment(service), container, f"{name}={value}")

    def create(self, described: dict[str, Any]) -> None:
        """Create a deleted object again."""
        for name in ("resourceVersion", "uid", "creationTimestamp"):
            described["metadata"].pop(name)
        command = self._command("create", "--filename", "-")
        text = json.dumps(described)
        subprocess.run(command, input=text, text=True, capture_output=True, check=True)

    def pods(self, service: str) -> list[dict[str, Any]]:
        """The service's pods, including those that are about to end."""
        pods = self.get("pods", "--selector", _label(service))["items"]
        return [pod for pod in pods if pod["status"]["phase"] in ("Pending", "Running")]

    def psql(self, database_server: str, database: str, statement: str) -> str:
        """Run a statement as superuser in a database of this server; return its output."""
        options = ("--username=postgres", "--no-align", "--tuples-only", "--quiet")
        pod = f"{database_server}-database-0"
        command = ("psql", *options, f"--dbname={database}", f"--command={statement}")
        return self.kubectl("exec", pod, "--", *command).strip()

    def file_in(self, pod: dict[str, Any], path: Path) -> bytes:
        """The contents of a file in a pod; nothing if they cannot be read."""
        program = f"import sys; sys.stdout.write(open({str(path)!r}).read())"
        name = pod["metadata"]["name"]
        command = self._command("exec", name, "--quiet", "--", "python", "-c", program)
        return subprocess.run(command, capture_output=True, check=False).stdout

    @contextmanager
    def forwarded(self, what: str, port: int, *, namespace: str) -> Iterator[str]:
        """Forward a port of this machine to one of a pod, which sees its clients at 127.0.0.1."""
        command = ["kubectl", "--context", self._context, "--namespace", namespace]
        command += ["port-forward", what, f":{port}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as forwarding:
            try:
                assert forwarding.stdout is not None
                line = forwarding.stdout.readline()
                yield "http://" + line.removeprefix("Forwarding from ").partition(" ")[0]
            finally:
                forwarding.terminate()

    def get(self, *what: str) -> Any:
        """An object, or a list of objects, as the API server returns it."""
        return json.loads(self.kubectl("get", *what, "--output=json"))

    def kubectl(self, *arguments: str) -> str:
        """Run kubectl in the namespace and return its output; fails the test if kubectl fails."""
        command = self._command(*arguments)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
        return done.stdout

    def _command(self, *arguments: str) -> list[str]:
        return ["kubectl", "--context", self._context, "--namespace", NAMESPACE, *arguments]


def _label(service: str) -> str:
    return f"app.kubernetes.io/name={DEPLOYMENTS[service]}"


def _deployment(service: str) -> str:
    return f"deployment/{DEPLOYMENTS[service]}"


def _timeout() -> str:
    return f"--timeout={ROLLOUT_SECONDS}s"
