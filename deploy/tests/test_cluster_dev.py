"""`make cluster-dev`: services run in a cluster from the working tree."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy import forwarding
from deploy.forwarding import Forwarding
from deploy.kubectl import Kubectl
from local.ports import free_port
from testkit.http_client import CONNECTION_ERRORS, HttpClient
from testkit.own_server import temporary_folder
from testkit.pretend_cluster import Pod, PretendCluster
from testkit.waiting import repeated, wait_until
from tooling.failures import Failure
from tooling.project import ROOT
from tooling.readiness import is_ready

# A service that takes no second to start; it answers with its code and counts its starts.
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
        wait_until(lambda: self.output.count(text) >= times, what=lambda: self.output)

    def press_enter(self) -> None:
        """Press Enter."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def interrupt(self) -> None:
        """Press Ctrl-C and wait for the end."""
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=60)


@pytest.fixture
def developer() -> Iterator[Developer]:
    """A developer with a cluster where the images of all services run."""
    with temporary_folder() as folder:
        tree = folder / "a tree 树"
        for part in ("deploy", "tooling"):
            shutil.copytree(ROOT / part, tree / part, ignore=shutil.ignore_patterns("secrets"))
        chassis = tree / "chassis" / "src" / "mythoughts_chassis"
        chassis.mkdir(parents=True)
        (chassis / "__init__.py").touch()
        shutil.copy(ROOT / "chassis/src/mythoughts_chassis/activation.py", chassis)
        development = tree / "deploy/kubernetes/components/dev"
        cluster = PretendCluster(folder, [deployment(name) for name in PACKAGES], development)
        developer = Developer(tree, cluster)
        for workload, package in PACKAGES.items():
            developer.package(workload).mkdir(parents=True)
            (developer.package(workload) / "__init__.py").touch()
            code = SERVICE.replace("PACKAGE", package)
            (developer.package(workload) / "__main__.py").write_text(code)
            (developer.package(workload) / "templates").mkdir()
            developer.write_text("one", workload)
            description = tree / "services" / package / "pyproject.toml"
            shutil.copy(ROOT / "services" / package / "pyproject.toml", description)
        yield developer
        developer.stop()
        cluster.stop()


def deployment(workload: str) -> dict[str, Any]:
    """A Deployment as the manifests have it."""
    path = ROOT / "services" / PACKAGES[workload] / "kubernetes" / "deployment.yaml"
    described: dict[str, Any] = yaml.safe_load(path.read_text())
    return described


@pytest.fixture
def frontend(developer: Developer) -> tuple[Run, Pod]:
    """A run that develops the Frontend, and its pod, which serves the working tree."""
    run = developer.start(SERVICE="frontend")
    run.wait_for("live in 1 pod")
    (pod,) = developer.cluster.pods_of("frontend", ready=1)
    return run, pod


def answer_of(pod: Pod) -> str:
    """What the service in a pod answers.

    The service of a few lines does not finish what it has accepted, as the real ones do; then this
    asks again.
    """
    answers: list[str] = []

    def ask() -> bool:
        with suppress(*CONNECTION_ERRORS):
            answers.append(HttpClient(pod.url).get("/").text)
        return bool(answers)

    wait_until(ask, what=lambda: "".join(pod.log))
    return answers[0]


def test_working_tree_runs_in_all_services(developer: Developer) -> None:
    """What differs from the images before the command starts is there at once."""
    for number, workload in enumerate(PACKAGES):
        developer.write_text(f"changed {number}", workload)

    run = developer.start()

    run.wait_for("the working tree: live in 1 pod", times=3)
    pods = [developer.cluster.pods_of(workload, ready=1)[0] for workload in PACKAGES]
    assert [answer_of(pod) for pod in pods] == [f"changed {number} " for number in range(3)]


def test_saved_file_is_live(developer: Developer, frontend: tuple[Run, Pod]) -> None:
    """A saved module is in use, and the time from saving it is printed."""
    run, pod = frontend

    developer.write_text("two")

    run.wait_for("text.py: live in 1 pod after ")
    assert answer_of(pod) == "two "


def test_no_other_service_is_touched(developer: Developer, frontend: tuple[Run, Pod]) -> None:
    """With SERVICE, the others keep their images."""
    assert not any(pod.takes_code for pod in developer.cluster.pods_of("users-backend"))
    assert developer.cluster.deployment("users-backend") == {
        **deployment("users-backend"),
        "metadata": {
            **deployment("users-backend")["metadata"],
            "annotations": {},
            "namespace": "example",
        },
        "spec": {**deployment("users-backend")["spec"], "replicas": 1},
    }


def test_deleted_and_renamed_files_are_gone(
    developer: Developer, frontend: tuple[Run, Pod]
) -> None:
    """The pod has the files of the working tree and no others."""
    run, pod = frontend
    templates = developer.package() / "templates"
    for name in ("a.html", "b.html"):
        (templates / name).touch()
    wait_until(lambda: answer_of(pod) == "one a.html,b.html", what=lambda: run.output)

    (templates / "a.html").unlink()
    (templates / "b.html").rename(templates / "c.html")

    wait_until(lambda: answer_of(pod) == "one c.html", what=lambda: run.output)


def test_replaced_pod_serves_the_working_tree_only(
    developer: Developer, frontend: tuple[Run, Pod]
) -> None:
    """A pod in place of a deleted one waits for the newest code before it serves."""
    run, pod = frontend
    developer.write_text("two")
    run.wait_for("text.py: live")

    developer.cluster.delete_pod(pod)
    wait_until(lambda: pod.is_ending)
    (other,) = developer.cluster.pods_of("frontend", ready=1)

    assert answer_of(other) == "two "
    wait_until(lambda: any("started" in line for line in other.log))
    assert [line for line in other.log if "started" in line] == ["started with two\n"]


def test_every_replica_gets_every_change(developer: Developer, frontend: tuple[Run, Pod]) -> None:
    """A pod that is added gets the code, and a save is live when all pods have it."""
    run, _ = frontend
    developer.cluster.deployment("frontend")["spec"]["replicas"] = 3
    pods = developer.cluster.pods_of("frontend", ready=3)

    developer.write_text("two")

    run.wait_for("text.py: live in 3 pods")
    assert [answer_of(pod) for pod in pods] == ["two "] * 3


def test_pod_that_ends_while_nobody_watches_is_no_longer_counted(
    developer: Developer, frontend: tuple[Run, Pod]
) -> None:
    """A broken connection to the cluster is replaced, and the pods are listed again."""
    run, pod = frontend

    developer.cluster.break_connections(deleted=pod)
    (other,) = developer.cluster.pods_of("frontend", ready=1)
    developer.write_text("two")

    run.wait_for("text.py: live in 1 pod")
    assert answer_of(other) == "two "


def test_log_is_followed_after_a_broken_connection(
    developer: Developer, frontend: tuple[Run, Pod]
) -> None:
    """What a service prints is shown, whatever has happened to the connection."""
    run, _ = frontend
    run.wait_for("started with one")

    developer.cluster.break_connections()
    wait_until(lambda: any("--since=1s" in call for call in developer.cluster.calls))
    developer.write_text("two")

    run.wait_for("frontend | started with two")
    assert run.output.count("started with one") == 1


def save_by_rename(developer: Developer) -> None:
    """Save as editors do that write a temporary file first."""
    path = developer.package() / "text.py"
    unfinished = path.with_name("text.py.tmp")
    unfinished.write_text("TEXT = 'two'\n")
    unfinished.replace(path)


def check_out_many(developer: Developer) -> None:
    """Change 200 files, the last of them the text."""
    for number in range(200):
        (developer.package() / f"module_{number}.py").write_text(f"NUMBER = {number}\n")
    developer.write_text("two")


@pytest.mark.parametrize("save", [save_by_rename, check_out_many])
def test_one_change_restarts_once(
    developer: Developer, frontend: tuple[Run, Pod], save: Callable[[Developer], None]
) -> None:
    """A save in several steps, or of many files, ends in its last state, in one restart."""
    run, pod = frontend

    save(developer)
    wait_until(lambda: answer_of(pod) == "two ", what=lambda: run.output)
    # Whatever was still on its way has arrived before this.
    developer.write_text("three")
    wait_until(lambda: answer_of(pod) == "three ", what=lambda: run.output)

    starts = [line for line in pod.log if "started" in line]
    assert starts == [f"started with {text}\n" for text in ("one", "two", "three")]


def test_saves_during_a_sync_end_in_the_last_state(
    developer: Developer, frontend: tuple[Run, Pod]
) -> None:
    """Of many saves, the last one counts, and those between may be passed over."""
    run, pod = frontend

    for number in range(30):
        developer.write_text(f"number {number}")
    wait_until(lambda: answer_of(pod) == "number 29 ", what=lambda: run.output)

    assert pod.log[-1] == "started with number 29\n"


def test_saving_without_a_change_does_nothing(
    developer: Developer, frontend: tuple[Run, Pod]
) -> None:
    """A file that is saved with the same contents restarts nothing."""
    run, pod = frontend

    developer.write_text("one")
    (developer.package() / "text.py").touch()
    developer.write_text("two", "frontend")
    run.wait_for("text.py: live")

    assert len([line for line in pod.log if "started" in line]) == 2


def test_files_of_compilers_and_editors_are_no_code(
    developer: Developer, frontend: tuple[Run, Pod]
) -> None:
    """What they keep beside the code for a moment neither restarts a service nor disturbs it."""
    run, pod = frontend

    for name in ("__pycache__/text.cpython-311.pyc.1", ".text.py.swp", "text.py~"):
        path = developer.package() / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("not code")
    developer.write_text("one")
    developer.write_text("two")
    run.wait_for("text.py: live")

    assert len([line for line in pod.log if "started" in line]) == 2


def test_broken_code_leaves_the_old_process(
    developer: Developer, frontend: tuple[Run, Pod]
) -> None:
    """A syntax error is shown, while the old process serves; its correction is live."""
    run, pod = frontend

    (developer.package() / "text.py").write_text("TEXT = (\n")
    run.wait_for("text.py: the new process ended with exit status 1; what ran before still serves")
    run.wait_for("SyntaxError")
    meanwhile = answer_of(pod)
    developer.write_text("two")
    run.wait_for("text.py: live")

    assert (meanwhile, answer_of(pod)) == ("one ", "two ")


def test_old_process_serves_until_the_new_one_is_ready(
    developer: Developer, frontend: tuple[Run, Pod]
) -> None:
    """While new code takes its time to start, requests are answered."""
    run, pod = frontend
    begun, may_start = developer.tree / "begun", developer.tree / "may start"

    (developer.package() / "text.py").write_text(
        "import time\nfrom pathlib import Path\n"
        f"Path({str(begun)!r}).touch()\n"
        f"while not Path({str(may_start)!r}).exists():\n    time.sleep(0.02)\n"
        "TEXT = 'two'\n"
    )
    wait_until(begun.exists, what=lambda: run.output)
    meanwhile = answer_of(pod)
    may_start.touch()
    run.wait_for("text.py: live")

    assert (meanwhile, answer_of(pod)) == ("one ", "two ")


def test_no_request_fails_while_code_changes(
    developer: Developer, frontend: tuple[Run, Pod]
) -> None:
    """The old process serves until the new one is ready, and the connections wait in one queue."""
    run, pod = frontend

    def ask() -> object:
        try:
            return HttpClient(pod.url).get("/").status
        except CONNECTION_ERRORS as error:
            return repr(error)

    with repeated(ask, threads=2) as outcomes:
        for number in range(3):
            developer.write_text(f"number {number}")
            run.wait_for("text.py: live", times=number + 1)

    # See `answer_of`.
    refused = [outcome for outcome in outcomes if "Refused" in str(outcome)]
    assert (refused, set(outcomes) & {200}) == ([], {200})


def test_code_that_never_worked_can_be_corrected(developer: Developer) -> None:
    """If the code is broken from the beginning, the images serve until it is corrected."""
    (developer.package() / "text.py").write_text("TEXT = (\n")
    run = developer.start(SERVICE="frontend")
    run.wait_for("the working tree: the new process ended")
    images = [pod for pod in developer.cluster.pods_of("frontend") if not pod.takes_code]

    developer.write_text("two")

    (pod,) = developer.cluster.pods_of("frontend", ready=1)
    assert len(images) == 1
    assert answer_of(pod) == "two "


def test_code_that_fails_before_it_serves_can_be_corrected(developer: Developer) -> None:
    """Where an init container has failed, nothing runs that could take the corrected code."""
    (developer.package("thoughts-backend") / "text.py").write_text("TEXT = (\n")
    run = developer.start(SERVICE="thoughts-backend")
    pods = developer.cluster.pods
    wait_until(
        lambda: any("waiting" in pod.states.values() for pod in list(pods.values())),
        what=lambda: run.output,
    )

    developer.write_text("two", "thoughts-backend")

    (pod,) = developer.cluster.pods_of("thoughts-backend", ready=1)
    assert answer_of(pod) == "two "


def test_migration_that_comes_with_a_whole_folder_is_applied(developer: Developer) -> None:
    """Only the folder is known to have changed; the migration is noticed all the same."""
    run = developer.start(SERVICE="thoughts-backend")
    (old,) = developer.cluster.pods_of("thoughts-backend", ready=1)
    run.wait_for("live in 1 pod")
    package, other = developer.package("thoughts-backend"), developer.tree / "another branch"
    shutil.copytree(package, other)
    (other / "migrations").mkdir()
    (other / "migrations" / "0002.py").touch()

    package.rename(developer.tree / "this branch")
    other.rename(package)
    wait_until(lambda: old.is_ending, what=lambda: run.output)

    (new,) = developer.cluster.pods_of("thoughts-backend", ready=1)
    assert (new.folder / "migrated").read_text() == "0002"
    assert len([line for line in old.log if "started" in line]) == 1


def test_failed_restart_is_tried_again(developer: Developer) -> None:
    """If the cluster cannot be told to make new pods, the next change tells it."""
    run = developer.start(SERVICE="thoughts-backend")
    run.wait_for("live in 1 pod")
    migrations = developer.package("thoughts-backend") / "migrations"
    developer.cluster.failing.add(("rollout", "restart"))
    migrations.mkdir()
    (migrations / "0002.py").touch()
    run.wait_for("what ran before still serves")
    developer.cluster.failing.clear()

    developer.write_text("two", "thoughts-backend")
    run.wait_for("live in 1 pod", times=2)

    (new,) = developer.cluster.pods_of("thoughts-backend", ready=1)
    assert (new.folder / "migrated").read_text() == "0002"


def test_migration_is_applied_before_code_serves(developer: Developer) -> None:
    """A new migration replaces the pods; the old one keeps its code until the new one is ready."""
    run = developer.start(SERVICE="thoughts-backend")
    (old,) = developer.cluster.pods_of("thoughts-backend", ready=1)
    run.wait_for("live in 1 pod")
    migrations = developer.package("thoughts-backend") / "migrations"

    migrations.mkdir()
    (migrations / "0002.py").touch()
    run.wait_for("live in 1 pod", times=2)

    (new,) = developer.cluster.pods_of("thoughts-backend", ready=1)
    assert new is not old
    assert (new.folder / "migrated").read_text() == "0002"
    assert len([line for line in old.log if "started" in line]) == 1


def test_broken_migration_can_be_corrected(developer: Developer) -> None:
    """While a migration fails, the old pod serves; a corrected one is applied."""
    run = developer.start(SERVICE="thoughts-backend")
    (old,) = developer.cluster.pods_of("thoughts-backend", ready=1)
    run.wait_for("live in 1 pod")
    migrations = developer.package("thoughts-backend") / "migrations"
    migrations.mkdir()
    (migrations / "broken.py").touch()
    wait_until(
        lambda: len(developer.cluster.pods_of("thoughts-backend")) == 2, what=lambda: run.output
    )
    meanwhile = answer_of(old)

    (migrations / "broken.py").rename(migrations / "0002.py")
    run.wait_for("live in 1 pod", times=2)

    assert meanwhile == "one "
    (new,) = developer.cluster.pods_of("thoughts-backend", ready=1)
    assert (new.folder / "migrated").read_text() == "0002"


def test_changed_packages_need_an_image(developer: Developer, frontend: tuple[Run, Pod]) -> None:
    """A changed list of packages is named; Enter builds an image that pods run on, or tries it."""
    run, pod = frontend
    developer.install("make", "exit 1")
    developer.install("docker", "echo sha256:0123456789abcdef")
    developer.install("kind", "exit 0")

    (developer.tree / "services/frontend/requirements.txt").write_text("another==1\n")
    run.wait_for("requirements.txt changed, which needs a new image")
    run.press_enter()
    run.wait_for("This command failed: make images SERVICE=frontend")
    developer.install("make", "exit 0")
    run.press_enter()
    wait_until(lambda: pod.is_ending, what=lambda: run.output)
    (other,) = developer.cluster.pods_of("frontend", ready=1)

    images = {
        container["image"]
        for kind in ("initContainers", "containers")
        for container in other.template["spec"][kind]
    }
    assert images == {"mythoughts/frontend:1.0.0-0123456789ab"}
    assert answer_of(other) == "one "


def test_logs_have_the_name_of_their_service(developer: Developer) -> None:
    """The logs of all pods are shown."""
    for workload in PACKAGES:
        developer.write_text(f"text of {workload}", workload)

    run = developer.start()

    for name, workload in zip(("frontend", "thoughts", "users"), PACKAGES, strict=True):
        run.wait_for(f"{name:8} | started with text of {workload}\n")


def test_second_terminal_is_told(developer: Developer, frontend: tuple[Run, Pod]) -> None:
    """Started a second time, it names who is already running it, and changes nothing."""
    first, _ = frontend

    second = developer.start()

    assert second.process.wait(60) == 1
    assert f"(process {first.process.pid}) is already running `make cluster-dev`" in second.output
    assert len(developer.cluster.pods_of("users-backend")) == 1
    assert not developer.cluster.pods_of("users-backend")[0].takes_code


def test_expired_lease_is_taken_over(developer: Developer) -> None:
    """Of somebody whose machine went away, only the lease is left, until it expires."""
    developer.cluster.objects["lease/development"] = {
        "metadata": {"resourceVersion": "7"},
        "spec": {
            "holderIdentity": "somebody",
            "leaseDurationSeconds": 60,
            "renewTime": "2026-01-01T00:00:00.000000Z",
        },
    }

    run = developer.start(SERVICE="frontend")

    run.wait_for("live in 1 pod")
    lease = developer.cluster.objects["lease/development"]
    assert str(run.process.pid) in lease["spec"]["holderIdentity"]


@pytest.mark.parametrize("is_interrupted", [True, False])
def test_lost_lease_leaves_the_cluster_to_its_new_holder(
    developer: Developer, frontend: tuple[Run, Pod], is_interrupted: bool
) -> None:
    """A run whose lease somebody else has got ends, and changes nothing more."""
    run, _ = frontend
    template = developer.cluster.deployment("frontend")["spec"]["template"]
    lease = developer.cluster.objects["lease/development"]

    lease["spec"]["holderIdentity"] = "somebody else"
    if is_interrupted:
        run.interrupt()

    assert run.process.wait(60) == 1
    assert "somebody else has developed in the cluster since" in run.output
    assert developer.cluster.deployment("frontend")["spec"]["template"] == template
    assert developer.cluster.objects["lease/development"] == lease


def test_end_gives_the_other_images_back_if_one_fails(developer: Developer) -> None:
    """A Deployment that cannot be changed is reported, and keeps no other from its image."""
    run = developer.start()
    run.wait_for("the working tree: live in 1 pod", times=3)

    developer.cluster.failing.add(("patch", "deployment/thoughts-backend"))
    run.interrupt()

    templates = [developer.cluster.deployment(name)["spec"]["template"] for name in PACKAGES]
    originals = [deployment(name)["spec"]["template"] for name in PACKAGES]
    assert run.process.returncode == 1
    assert "patch deployment/thoughts-backend" in run.output
    assert [a == b for a, b in zip(templates, originals, strict=True)] == [True, False, True]


def test_cluster_of_unknown_kind_needs_no_way_for_images(developer: Developer) -> None:
    """How to bring images matters once there is one."""
    developer.cluster.context = "somewhere"

    run = developer.start(SERVICE="frontend", YES="1")

    run.wait_for("live in 1 pod")


def test_end_gives_the_images_back(developer: Developer, frontend: tuple[Run, Pod]) -> None:
    """Ctrl-C leaves the Deployment as it was, and no lease."""
    run, pod = frontend

    run.interrupt()

    before = deployment("frontend")["spec"]["template"]
    assert run.process.returncode == 0, run.output
    assert developer.cluster.deployment("frontend")["spec"]["template"] == before
    assert not developer.cluster.deployment("frontend")["metadata"]["annotations"]
    assert "lease/development" not in developer.cluster.objects
    wait_until(lambda: pod.is_ending)


def test_run_after_a_killed_one_gives_the_images_back(
    developer: Developer, frontend: tuple[Run, Pod]
) -> None:
    """A run that was killed leaves the working tree there; the next one ends it in order."""
    killed, _ = frontend
    killed.process.kill()
    killed.process.wait()
    del developer.cluster.objects["lease/development"]  # As when it has expired.

    run = developer.start(SERVICE="frontend")
    run.wait_for("live in 1 pod")
    run.interrupt()

    before = deployment("frontend")["spec"]["template"]
    assert developer.cluster.deployment("frontend")["spec"]["template"] == before


def test_missing_deployment_is_reported(developer: Developer) -> None:
    """Without the system in the cluster there is nothing to develop in."""
    del developer.cluster.objects["deployment/frontend"]

    run = developer.start()

    assert run.process.wait(60) == 1
    assert "make deploy" in run.output
    assert "Traceback" not in run.output


def test_debugger_attaches(developer: Developer) -> None:
    """With DEBUGGER the service runs under debugpy, before and after a change of its code."""
    port = free_port()
    developer.cluster.forwarded = {"deployment/frontend": port}
    run = developer.start(SERVICE="frontend", DEBUGGER=str(port))
    run.wait_for("the working tree: live in 1 pod")
    first = initialize_debugger(port)

    developer.write_text("two")
    run.wait_for("text.py: live in 1 pod")
    second = initialize_debugger(port)

    assert first["success"] is second["success"] is True


def initialize_debugger(port: int) -> dict[str, Any]:
    """The first answer of the Debug Adapter Protocol."""
    arguments = {"adapterID": "test"}
    request = {"seq": 1, "type": "request", "command": "initialize", "arguments": arguments}
    body = json.dumps(request).encode()
    with socket.create_connection(("127.0.0.1", port), timeout=60) as debugger:
        debugger.sendall(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        messages = debugger.makefile("rb")
        while True:
            length = int(messages.readline().partition(b":")[2])
            messages.readline()
            message: dict[str, Any] = json.loads(messages.read(length))
            if message["type"] == "response":
                return message


def test_port_of_the_debugger_must_be_free(developer: Developer) -> None:
    """A port that another program uses is reported before anything changes."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        run = developer.start(SERVICE="frontend", DEBUGGER=port)

        assert run.process.wait(60) == 1

    assert f"DEBUGGER={port}" in run.output
    assert not developer.cluster.pods_of("frontend")[0].takes_code


def test_what_kubectl_says_about_forwarding_is_reported(
    developer: Developer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If nothing is forwarded, kubectl knows why."""
    monkeypatch.setattr(forwarding, "_START_SECONDS", 1)
    developer.install("kubectl", "echo 'error: no pod runs' >&2; exit 1")
    monkeypatch.setenv("PATH", f"{developer.cluster.bin}:{os.environ['PATH']}")

    with pytest.raises(Failure, match=r"deployment/frontend\. error: no pod runs"):
        Forwarding(Kubectl("somewhere"), "deployment/frontend", 5678).__enter__()


def test_debugger_is_for_one_service(developer: Developer) -> None:
    """Several services cannot share its port."""
    run = developer.start(DEBUGGER="5678")

    assert run.process.wait(60) == 1
    assert "add SERVICE=frontend" in run.output


@pytest.fixture
def one_here(developer: Developer) -> tuple[Run, str]:
    """A run of the Thoughts Backend on this machine, which answers with what it was told."""
    url = b64encode(b"postgresql://thoughts:secret@thoughts-database:5432/thoughts\n").decode()
    developer.cluster.objects |= {
        "secret/thoughts-database": {"data": {"url": url}},
        "configmap/token-public-keys": {"data": {"public-keys.json": "{}"}},
        "services": {
            "items": [
                {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}]}}
                for name in ("thoughts-service", "users-service", "thoughts-database")
            ]
        },
    }
    developer.cluster.forwarded = {"service/users-service": 7001, "service/thoughts-database": 7002}
    (developer.package("thoughts-backend") / "text.py").write_text(
        "import os\n"
        "from pathlib import Path\n"
        "files = [Path(os.environ[f]) for f in ('DATABASE_URL_FILE', 'TOKEN_PUBLIC_KEYS_PATH')]\n"
        "TEXT = [os.environ['USERS_BACKEND_URL'], *(f.read_text().strip() for f in files)]\n"
    )
    port = free_port()
    run = developer.start("dev", SERVICE="thoughts-backend", THOUGHTS_PORT=str(port))
    address = f"http://127.0.0.1:{port}"
    wait_until(lambda: is_ready(f"{address}/"), what=lambda: run.output)
    return run, address


def test_one_service_runs_here_with_what_its_pods_know(one_here: tuple[Run, str]) -> None:
    """It has their settings, keys and passwords, and reaches what they call by forwarded ports."""
    _, address = one_here

    assert HttpClient(address).get("/").text.strip() == str(
        [
            "http://127.0.0.1:7001",
            "postgresql://thoughts:secret@127.0.0.1:7002/thoughts",
            "{}",
        ]
    )


def test_end_waits_for_the_service_here(developer: Developer, one_here: tuple[Run, str]) -> None:
    """Ctrl-C returns to the prompt when the service has finished what it does."""
    run, _ = one_here
    finished = developer.tree / "finished"
    (developer.package("thoughts-backend") / "text.py").write_text(
        "import signal, sys, time\n"
        "from pathlib import Path\n"
        "def end(*_):\n"
        "    time.sleep(1)\n"
        f"    Path({str(finished)!r}).touch()\n"
        "    sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "TEXT = 'two'\n"
    )
    run.wait_for("text.py changed: live after")

    run.interrupt()

    assert finished.exists()


def test_one_service_here_changes_with_its_code(
    developer: Developer, one_here: tuple[Run, str]
) -> None:
    """Its process is replaced when a file is saved, and Ctrl-C ends it."""
    run, address = one_here

    developer.write_text("two", "thoughts-backend")
    run.wait_for("text.py changed: live after")
    answer = HttpClient(address).get("/").text
    run.interrupt()

    assert answer == "two "
    assert run.process.returncode == 0
    assert not is_ready(f"{address}/")
