"""A cluster that stands behind a stand-in for kubectl: pods are processes of this machine.

What `make cluster-dev` does is done for real: the component is rendered by the real kubectl, the
supervisor runs, trees are sent and unpacked. Only the API server, the kubelet and the controller of
Deployments are simple: a pod runs its init containers one after another and then its service; a
new template makes new pods, and the old ones go once these are ready.
"""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from testkit.pretend_pod import Json, Pod
from testkit.waiting import wait_until
from tests.manifests.kubectl import kubectl_path

# Sends its command line and input to the cluster, and prints what comes back.
KUBECTL = """import json, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect(SOCKET)
reads = {"--stdin", "--filename=-", "--patch-file=/dev/stdin"} & {*sys.argv}
text = sys.stdin.buffer.read() if reads else b""
server.sendall(json.dumps(sys.argv[1:]).encode() + b"\\n" + text)
server.shutdown(socket.SHUT_WR)
while True:
    chunk = server.recv(65536)
    output, end, rest = chunk.partition(b"\\0")
    sys.stdout.buffer.write(output)
    sys.stdout.buffer.flush()
    if end or not chunk:
        break
while chunk := server.recv(65536):
    rest += chunk
status, _, errors = rest.decode().partition("\\n")
sys.stderr.write(errors)
sys.exit(int(status or 1))
"""


class PretendCluster:
    """The cluster; `bin` has its kubectl. End it with `stop`."""

    def __init__(self, folder: Path, deployments: list[Json], development: Path) -> None:
        self.bin = folder / "bin"
        self.calls: list[list[str]] = []
        self.context = "kind-mythoughts"
        # The first two words of calls that fail.
        self.failing: set[tuple[str, str]] = set()
        # Images that no pod can get.
        self.missing_images: set[str] = set()
        self.objects: dict[str, Json] = {}
        self.forwarded: dict[str, int] = {}
        self.pods: dict[str, Pod] = {}
        self._folder = folder
        self._development = development
        self._events: list[Json] = []
        self._changed = threading.Condition()
        self._breaks = 0
        self._counter = 0
        self._is_over = False
        self._threads: list[threading.Thread] = []
        for deployment in deployments:
            deployment["metadata"].update(namespace="example", annotations={})
            deployment["spec"]["replicas"] = 1
            self.objects[f"deployment/{deployment['metadata']['name']}"] = deployment
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(folder / "api"))
        self._socket.listen(64)
        self._install_kubectl()
        self._begin(self._accept)
        self._controller = self._begin(self._control)

    def stop(self) -> None:
        """End every pod and every thread."""
        self._is_over = True
        with self._changed:
            self._changed.notify_all()
        # Otherwise it might put new pods in the place of those that end.
        self._controller.join(60)
        for pod in list(self.pods.values()):
            pod.end()
        with socket.socket(socket.AF_UNIX) as last:
            last.connect(str(self._folder / "api"))
        for thread in self._threads:
            thread.join(60)
        self._socket.close()

    def deployment(self, name: str) -> Json:
        """A Deployment."""
        return self.objects[f"deployment/{name}"]

    def pods_of(self, workload: str, *, ready: int | None = None) -> list[Pod]:
        """The pods that are not about to end; with `ready`, waits until all are, and that many."""

        def pods() -> list[Pod]:
            found = [pod for pod in list(self.pods.values()) if not pod.is_ending]
            return [pod for pod in found if pod.labels["app.kubernetes.io/name"] == workload]

        def are_ready() -> bool:
            return len(pods()) == ready and all(pod.takes_code and pod.is_ready for pod in pods())

        if ready is not None:
            wait_until(are_ready, what=lambda: str([(pod.name, pod.log) for pod in pods()]))
        return pods()

    def delete_pod(self, pod: Pod) -> None:
        """Delete a pod; another one takes its place."""
        self._begin(lambda: self._end_pod(pod))

    def break_connections(self, deleted: Pod | None = None) -> None:
        """End what follows pods and logs; a pod may be `deleted` before that begins again."""
        with self._changed:
            self._breaks += 1
            if deleted:
                deleted.is_ending = True
                self.pods.pop(deleted.name)
            self._changed.notify_all()
        if deleted:
            deleted.end()

    def _install_kubectl(self) -> None:
        self.bin.mkdir()
        program = self._folder / "kubectl.py"
        program.write_text(KUBECTL.replace("SOCKET", repr(str(self._folder / "api"))))
        script = self.bin / "kubectl"
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -ISs "{program}" "$@"\n')
        script.chmod(0o755)

    def _begin(self, work: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    # The controller of Deployments.

    def _control(self) -> None:
        while not self._is_over:
            for key, deployment in list(self.objects.items()):
                if key.startswith("deployment/"):
                    self._reconcile(deployment)
            time.sleep(0.05)

    def _reconcile(self, deployment: Json) -> None:
        name, template = deployment["metadata"]["name"], deployment["spec"]["template"]
        pods = self.pods_of(name)
        new = [pod for pod in pods if pod.template == template]
        wanted = deployment["spec"]["replicas"]
        for _ in range(wanted - len(new)):
            self._start_pod(name, json.loads(json.dumps(template)))
        surplus = new[wanted:]
        if len(new) >= wanted and all(pod.is_ready for pod in new[:wanted]):
            surplus += [pod for pod in pods if pod not in new]
        for pod in surplus:
            self._end_pod(pod)

    def _start_pod(self, workload: str, template: Json) -> None:
        self._counter += 1
        name = f"{workload}-{self._counter}"
        pod = Pod(name, template, self._folder / name, self._development, self.missing_images)
        self.pods[name] = pod
        self._note(pod)
        if pod.takes_code:
            self._begin(lambda: pod.run(lambda: self._note(pod)))

    def _end_pod(self, pod: Pod) -> None:
        pod.is_ending = True
        self._note(pod)
        pod.end()
        self.pods.pop(pod.name, None)
        self._note(pod, kind="DELETED")

    def _note(self, pod: Pod, kind: str = "MODIFIED") -> None:
        with self._changed:
            if pod.name in self.pods or kind == "DELETED":
                self._events.append({"type": kind, "object": pod.describe()})
                self._changed.notify_all()

    # The API server.

    def _accept(self) -> None:
        while not self._is_over:
            connection, _ = self._socket.accept()
            self._begin(lambda connection=connection: self._serve(connection))  # type: ignore[misc]

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as sent:
            try:
                words, text = json.loads(sent.readline()), sent.read()
            except (ConnectionResetError, json.JSONDecodeError):
                return  # The end, see `stop`, or a kubectl that was ended.
            if words[0] == "--context":
                words = words[2:]
            self.calls.append(words)

            def write(output: str) -> None:
                connection.sendall(output.encode())

            try:
                status, errors = self._answer(words, text, write)
                write(f"\0{status}\n{errors}")
            except OSError:
                pass  # kubectl has been ended.

    def _answer(
        self, words: list[str], text: bytes, write: Callable[[str], None]
    ) -> tuple[int, str]:
        verbs: dict[str, Callable[..., tuple[int, str] | None]] = {
            "kustomize": self._render,
            "annotate": self._render,
            "get": self._get,
            "create": self._store,
            "replace": self._store,
            "apply": self._store,
            "patch": self._patch,
            "logs": self._show_log,
            "exec": self._exec,
            "port-forward": self._forward,
            "config": lambda *_: write(self.context),
            "delete": self._delete,
            "rollout": self._restart,
        }
        if tuple(words[:2]) in self.failing:
            return 1, "the connection to the server was refused"
        return verbs[words[0]](words, text, write) or (0, "")

    def _render(
        self, words: list[str], text: bytes, write: Callable[[str], None]
    ) -> tuple[int, str]:
        done = subprocess.run(
            [kubectl_path(), *words], input=text, capture_output=True, check=False
        )
        write(done.stdout.decode())
        return done.returncode, done.stderr.decode()

    def _get(
        self, words: list[str], _: bytes, write: Callable[[str], None]
    ) -> tuple[int, str] | None:
        if "--watch" in words:
            (selector,) = [word for word in words if word.startswith("--selector=")]
            self._watch(write, selector.partition("(")[2].rstrip(")").split(","))
            return None
        found = self.objects.get(words[1])
        if found is None and "--ignore-not-found" not in words:
            return 1, f'Error from server (NotFound): "{words[1]}" not found'
        write(json.dumps(found) if found else "")
        return None

    def _watch(self, write: Callable[[str], None], workloads: list[str]) -> None:
        with self._changed:
            breaks, seen = self._breaks, len(self._events)
            news: list[Json] = [
                {"type": "ADDED", "object": pod.describe()} for pod in list(self.pods.values())
            ]
        while breaks == self._breaks and not self._is_over:
            for event in news:
                if event["object"]["metadata"]["labels"]["app.kubernetes.io/name"] in workloads:
                    write(json.dumps(event) + "\n")
            with self._changed:
                self._changed.wait_for(
                    lambda: self._is_over or breaks != self._breaks or len(self._events) > seen  # noqa: B023
                )
                news, seen = self._events[seen:], len(self._events)
        # So kubectl reports a broken connection.
        write(json.dumps({"type": "ERROR", "object": {"kind": "Status", "metadata": {}}}) + "\n")

    def _store(self, words: list[str], text: bytes, _: object) -> tuple[int, str]:
        verb, described = words[0], json.loads(text)
        key = f"{described['kind'].lower()}/{described['metadata']['name']}"
        version = self.objects.get(key, {}).get("metadata", {}).get("resourceVersion")
        if verb == "create" and key in self.objects:
            return 1, "Error from server (AlreadyExists)"
        if verb == "replace" and described["metadata"]["resourceVersion"] != version:
            return 1, "Error from server (Conflict)"
        described["metadata"]["resourceVersion"] = str(time.monotonic())
        self.objects[key] = described
        return 0, ""

    def _patch(self, words: list[str], text: bytes, _: object) -> tuple[int, str]:
        for operation in json.loads(text):
            *parents, last = [part.replace("~1", "/") for part in operation["path"].split("/")[1:]]
            place = self.objects[words[1]]
            for part in parents:
                place = place[part]
            if operation["op"] == "remove":
                del place[last]
            elif operation["op"] == "test" and place[last] != operation["value"]:
                return 1, "The test failed"
            else:
                place[last] = operation["value"]
        return 0, ""

    def _delete(self, words: list[str], *_: object) -> None:
        self.objects.pop(f"{words[1]}/{words[2]}")

    def _restart(self, words: list[str], *_: object) -> None:
        template = self.objects[words[2]]["spec"]["template"]
        template["metadata"]["annotations"] = {"restarted": str(time.monotonic())}

    def _show_log(
        self, words: list[str], _: bytes, write: Callable[[str], None]
    ) -> tuple[int, str] | None:
        """Show the log of a pod's service; those of init containers stay empty."""
        pod, breaks = self.pods.get(words[1]), self._breaks
        if pod is None:
            return 1, "error: pod not found"
        if f"--container={pod.template['spec']['containers'][0]['name']}" not in words:
            return None
        shown = len(pod.log) if "--since=1s" in words else 0
        while not (self._is_over or pod.is_ending or breaks != self._breaks):
            lines = pod.log[shown:]
            shown += len(lines)
            write("".join(lines))
            time.sleep(0.02)
        return None

    def _forward(self, words: list[str], _: bytes, write: Callable[[str], None]) -> None:
        """Say that a Service is forwarded to its port in `forwarded`."""
        write(f"Forwarding from 127.0.0.1:{self.forwarded[words[1]]} -> 8000\n")
        while not self._is_over:
            time.sleep(0.05)

    def _exec(self, words: list[str], text: bytes, write: Callable[[str], None]) -> tuple[int, str]:
        pod = self.pods.get(words[2])
        container = words[3].removeprefix("--container=")
        if pod is None or pod.states.get(container) != "running":
            return 1, "error: container not found"
        command = [pod.local(word) for word in words[words.index("--") + 1 :]]
        done = subprocess.run(command, input=text, capture_output=True, check=False)
        write(done.stdout.decode())
        return done.returncode, done.stderr.decode()
