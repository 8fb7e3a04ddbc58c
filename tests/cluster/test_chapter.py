"""The walk of docs/chapter.md, with its exact commands, in a namespace that is created for it.

It deletes the system from the cluster and everything in it, and deploys it again.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

from testkit.chapter import SECTIONS
from testkit.system import System
from tooling.project import ROOT

# What these do differs: create a cluster, and delete the system, as this does before the walk.
NOT_WALKED = ("Before you begin", "Clean up")

Outputs = dict[str, list[str]]


@pytest.fixture(scope="module")
def walk(running_system: System | None, tmp_path_factory: pytest.TempPathFactory) -> Outputs:
    """The output of each command, in order, by the heading that it is under."""
    if running_system is None:
        raise pytest.UsageError("These tests need a cluster: make test-cluster")
    environment = _environment(Path(tmp_path_factory.mktemp("walk")) / "kubeconfig")
    _run("make undeploy", environment)
    return {
        heading: [_run(command, environment) for command in commands]
        for heading, commands in SECTIONS.items()
        if heading not in NOT_WALKED
    }


def _environment(kubeconfig: Path) -> dict[str, str]:
    """The environment of somebody whose only cluster is the one under test, and who agrees."""
    context = os.environ["MYTHOUGHTS_CONTEXT"]
    view = ["kubectl", "--context", context, "config", "view", "--minify", "--raw", "--flatten"]
    done = subprocess.run(view, capture_output=True, text=True, check=True)
    kubeconfig.write_text(done.stdout)
    kubeconfig.chmod(0o600)
    return {**os.environ, "KUBECONFIG": str(kubeconfig), "CONTEXT": context, "YES": "1"}


def _run(command: str, environment: dict[str, str]) -> str:
    """Run a command of the page as its reader types it; returns what it prints."""
    ingress = os.environ["MYTHOUGHTS_INGRESS_URL"]
    done = subprocess.run(
        ["bash", "-c", command.replace("http://localhost", ingress)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout


def pods(output: str, name: str) -> dict[str, str]:
    """The lines of `kubectl get pods` by the pods' names, of those whose name starts so."""
    lines = [line for line in output.splitlines() if line.startswith(name)]
    return {line.split()[0]: line for line in lines}


def is_ready(line: str) -> bool:
    """Whether `kubectl get pods` says that the pod serves."""
    return re.search(r" 1/1 +Running ", line) is not None


def test_prepared_namespace_has_databases_alone(walk: Outputs) -> None:
    """After `make prepare` there are only the two databases, which run."""
    *_, listed = walk["The namespace"]

    running = pods(listed, "")
    del running["NAME"]
    assert running.keys() == {"thoughts-database-0", "users-database-0"}
    assert all(map(is_ready, running.values()))


def test_files_of_each_service_are_applied_one_by_one(walk: Outputs) -> None:
    """Each file creates one object, and the pod of the Thoughts Backend is ready."""
    created = [
        line
        for section in ("The Thoughts Backend", "The Users Backend", "The Frontend")
        for output in walk[section]
        for line in output.splitlines()
        if line.endswith(" created")
    ]

    assert created == [
        "deployment.apps/thoughts-backend created",
        "service/thoughts-service created",
        "ingress.networking.k8s.io/thoughts-backend-ingress created",
        "deployment.apps/users-backend created",
        "service/users-service created",
        "ingress.networking.k8s.io/users-backend-ingress created",
        "deployment.apps/frontend created",
        "service/frontend-service created",
        "ingress.networking.k8s.io/frontend-ingress created",
    ]
    listed = walk["The Thoughts Backend"][2]
    assert [is_ready(line) for line in pods(listed, "thoughts-backend-").values()] == [True]


def test_ingresses_have_an_address(walk: Outputs) -> None:
    """Once the Frontend is ready, `kubectl get ingresses` shows the address of a node for each."""
    *_, listed = walk["The Frontend"]

    lines = [line for line in listed.splitlines() if "-ingress " in line]
    assert len(lines) == 3
    assert all(re.search(r"\.example\.local +\d+\.\d+\.\d+\.\d+ ", line) for line in lines)


def test_demonstration_data_is_found_through_the_ingress(walk: Outputs) -> None:
    """The chapter's search, by the name of the host, finds a thought."""
    (found,) = walk["Open it: a line in /etc/hosts, or none"]

    assert "Saturn looks like a drawing" in found


def test_three_pods_serve(walk: Outputs) -> None:
    """After scaling three pods are ready."""
    listed = walk["More than one pod"][2]

    assert [is_ready(line) for line in pods(listed, "thoughts-backend-").values()].count(True) == 3


def test_deleted_pod_is_replaced(walk: Outputs) -> None:
    """The pod that is ready at the end is another than those that were deleted."""
    deleted, _, listed = walk["Delete a pod"]

    ready = {name for name, line in pods(listed, "thoughts-backend-").items() if is_ready(line)}
    assert ready
    assert all(name not in deleted for name in ready)


def test_missing_image_leaves_the_old_pod(walk: Outputs) -> None:
    """Beside the new pod, which cannot start, the old one is ready."""
    listed = walk["Another image"][1]

    assert sorted(is_ready(line) for line in pods(listed, "frontend-").values()) == [False, True]


def test_overlay_can_be_applied_afterwards(walk: Outputs) -> None:
    """`kubectl apply -k` finds the images, and the Services get the documented node ports."""
    _, rolled_out, listed = walk["Everything at once"]

    assert "successfully rolled out" in rolled_out
    assert re.search(r"frontend-service .* 80:30802/TCP", listed)
