"""Sends the newest code to the pods that run the working tree, and shows their logs."""

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from deploy.kubectl import NAMESPACE, Json, Kubectl
from deploy.reasons import container_states, obstacles
from tooling.commands import failed
from tooling.failures import Failure
from tooling.lines import show_line
from tooling.project import Service
from tooling.supervision import READY
from tooling.working_tree import Change, Snapshot

# The container that waits for the code, and the command that receives code in a pod.
SOURCE = "source"
RECEIVE = ("python", "/development/supervisor.py", "receive", "/source")
# Longer than a supervisor waits for an old process to stop and a new one to start.
_SYNC_SECONDS = 90
_PAUSE_SECONDS = 0.5
_REFUSALS_BEFORE_MESSAGE = 5


@dataclass(eq=False)
class Pod:
    """A pod, its running containers and their ids, its code, and the outcome of running it."""

    name: str
    service: Service
    running: dict[str, str] = field(default_factory=dict)
    code: str = ""
    outcome: str = ""
    is_listed: bool = True
    is_gone: bool = False
    is_retired: bool = False

    @property
    def is_starting(self) -> bool:
        """Whether it has code, but its service has not begun: init containers run or failed."""
        return bool(self.code) and self.service.workload not in self.running

    @property
    def entrance(self) -> str:
        """The container to send code to: the service's once it runs, before that another one."""
        own = self.service.workload
        return own if own in self.running else next(iter(self.running), "")


@dataclass
class _Wanted:
    """The code that a service should run, and the change to report once it does."""

    snapshot: Snapshot
    title: str = "the working tree"
    since: float = field(default_factory=time.time)
    is_reported: bool = False


class Replicas:
    """Follows the pods of services, in threads, while a `with` block runs."""

    def __init__(self, kubectl: Kubectl, services: Sequence[Service]) -> None:
        self._kubectl = kubectl
        self._services = {service.workload: service for service in services}
        self._pods: dict[str, Pod] = {}
        self._wanted: dict[Service, _Wanted] = {}
        self._changed = threading.Condition()
        self._streams: set[subprocess.Popen[str]] = set()
        self._begun: set[str] = set()
        self._told: set[str] = set()
        self._is_over = False

    def __enter__(self) -> "Replicas":
        threading.Thread(target=self._follow_pods, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        for stream in list(self._streams):
            stream.terminate()

    def want(self, service: Service, code: Snapshot, change: Change | None = None) -> bool:
        """Give the pods of a service this code, because of a change.

        Returns whether the present pods have to be replaced; then they get no more code. That is
        so if migrations changed, which new pods run before they serve, or if a pod with older code
        has not begun to serve: if that fails in its init containers, no code reaches it.
        """
        with self._changed:
            before = self._wanted.get(service)
            if before and before.snapshot.name == code.name:
                return False
            about = (change.title, change.saved_at) if change else ()
            self._wanted[service] = _Wanted(code, *about)
            is_migration = before is not None and before.snapshot.migrations != code.migrations
            in_new_pods = is_migration or any(pod.is_starting for pod in self._pods_of(service))
            for pod in self._pods.values():
                pod.is_retired |= in_new_pods and pod.service == service
            self._changed.notify_all()
        return in_new_pods

    def _pods_of(self, service: Service) -> list[Pod]:
        pods = [pod for pod in self._pods.values() if pod.service == service]
        return [pod for pod in pods if pod.is_listed and not pod.is_gone]

    def _follow_pods(self) -> None:
        selector = f"--selector=app.kubernetes.io/name in ({','.join(self._services)})"
        options = (selector, "--watch", "--output-watch-events", "--output=json")
        while not self._is_over:
            with self._changed:
                for pod in self._pods.values():
                    pod.is_listed = False
            for line in self._stream("get", "pods", f"--namespace={NAMESPACE}", *options):
                event = json.loads(line)
                if event["type"] != "ERROR":  # The connection broke, and kubectl ends.
                    self._note(event["object"], is_gone=event["type"] == "DELETED")
            time.sleep(_PAUSE_SECONDS)

    def _note(self, found: Json, *, is_gone: bool) -> None:
        """Note the state of a pod."""
        name, status = found["metadata"]["name"], found["status"]
        service = self._services[found["metadata"]["labels"]["app.kubernetes.io/name"]]
        is_ending = "deletionTimestamp" in found["metadata"] or status["phase"] == "Failed"
        takes_code = found["spec"].get("initContainers", [{}])[0].get("name") == SOURCE
        with self._changed:
            pod = self._pods.setdefault(name, Pod(name, service))
            pod.is_listed = True
            pod.is_gone = is_gone or is_ending
            containers = _containers(found) if takes_code else []
            pod.running = {one: its_id for one, its_id, is_running in containers if is_running}
            if is_gone:
                self._pods.pop(name)
            self._changed.notify_all()
        if takes_code:
            self._begin_once(name, self._keep_up_to_date, pod)
            for obstacle in [] if pod.is_gone else obstacles(found):
                self._say_once(service, f"{name} does not start: {obstacle}")
        for container, container_id, _ in containers:
            if container != SOURCE:
                self._begin_once(container_id, self._show_log, pod, container, container_id)
        self._report(service)

    def _say_once(self, service: Service, line: str) -> None:
        if line not in self._told:
            self._told.add(line)
            show_line(service.name, line)

    def _begin_once(self, key: str, work: Callable[..., None], *arguments: object) -> None:
        if key not in self._begun:
            self._begun.add(key)
            threading.Thread(target=work, args=arguments, daemon=True).start()

    def _keep_up_to_date(self, pod: Pod) -> None:
        """Send the pod the newest code whenever it lacks it, and nothing that is outdated."""
        refusals = 0
        while True:
            with self._changed:
                self._changed.wait_for(lambda: pod.is_gone or self._needs_code(pod))
                if pod.is_gone:
                    return
                code, entrance = self._wanted[pod.service].snapshot, pod.entrance
            try:
                outcome = self._send(pod, entrance, code)
            except (Failure, subprocess.TimeoutExpired) as error:
                # The container may have ended; the next attempt may go to another one.
                refusals += 1
                if refusals == _REFUSALS_BEFORE_MESSAGE:
                    show_line(pod.service.name, f"{pod.name} cannot receive code yet: {error}")
                time.sleep(_PAUSE_SECONDS)
                continue
            with self._changed:
                refusals = 0
                pod.code = code.name
                pod.outcome = outcome if entrance == pod.service.workload else ""
            self._report(pod.service)

    def _needs_code(self, pod: Pod) -> bool:
        takes_code = pod.is_listed and not pod.is_retired and pod.entrance
        if not takes_code or pod.service not in self._wanted:
            return False
        is_old = pod.code != self._wanted[pod.service].snapshot.name
        return is_old or (not pod.outcome and pod.entrance == pod.service.workload)

    def _send(self, pod: Pod, container: str, code: Snapshot) -> str:
        """Send a pod code and wait until it runs there; return READY or why it does not."""
        where = (pod.name, f"--container={container}", f"--namespace={NAMESPACE}")
        command = self._kubectl.command("exec", "--stdin", *where, "--", *RECEIVE, code.name)
        done = subprocess.run(
            command,
            input=code.archive,
            capture_output=True,
            check=False,
            timeout=_SYNC_SECONDS,
            start_new_session=True,
        )
        if done.returncode:
            raise failed(command, done.stderr.decode(errors="replace"))
        return done.stdout.decode().strip()

    def _report(self, service: Service) -> None:
        """Report once that the newest code runs in all pods, or why it fails in one."""
        with self._changed:
            wanted = self._wanted.get(service)
            pods = self._pods_of(service)
            if wanted is None or wanted.is_reported:
                return
            outcomes = [pod.outcome if pod.code == wanted.snapshot.name else "" for pod in pods]
            failure = next((outcome for outcome in outcomes if outcome not in ("", READY)), None)
            is_live = bool(pods) and set(outcomes) == {READY}
            if not (failure or is_live):
                return
            wanted.is_reported = True
        count = "1 pod" if len(pods) == 1 else f"{len(pods)} pods"
        what = failure or f"live in {count} after {time.time() - wanted.since:.1f} s"
        show_line(service.name, f"{wanted.title}: {what}")

    def _show_log(self, pod: Pod, container: str, container_id: str) -> None:
        """Show the log of a container, from the beginning; again if the connection broke."""
        command = ("logs", pod.name, f"--container={container}", f"--namespace={NAMESPACE}")
        since: tuple[str, ...] = ()
        while not self._is_over:
            for line in self._stream(*command, "--follow", *since):
                show_line(pod.service.name, line)
            time.sleep(_PAUSE_SECONDS)
            with self._changed:
                self._changed.wait_for(lambda: pod.is_gone or pod.is_listed)
                if pod.is_gone or pod.running.get(container) != container_id:
                    return
            since = ("--since=1s",)

    def _stream(self, *arguments: str) -> Iterator[str]:
        """The lines that kubectl prints, until it ends."""
        command = self._kubectl.command(*arguments)
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as stream:
            self._streams.add(stream)
            for line in stream.stdout or ():
                yield line.rstrip("\n")
        self._streams.discard(stream)


def _containers(pod: Json) -> list[tuple[str, str, bool]]:
    """The containers that have started: name, id, and whether they run."""
    return [
        (container["name"], container["containerID"], "running" in container["state"])
        for container in container_states(pod)
        if container.get("containerID")
    ]
