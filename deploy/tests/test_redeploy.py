"""`make redeploy`: deploys one service's code to a cluster where the system runs."""

import signal
import subprocess
import sys
from collections.abc import Sequence

import pytest

from testkit.deaf import DEAF
from testkit.stand_ins import Workplace, items, workload
from testkit.waiting import wait_until

NEW_IMAGE = "mythoughts/thoughts-backend:1.0.0-0aaaaaaaaaaa"
SERVICE = {"SERVICE": "thoughts-backend", "CONTEXT": "kind-mythoughts"}


@pytest.fixture
def deployed(workplace: Workplace) -> Workplace:
    """A workplace with a kind cluster, where the Thoughts Backend runs with a sidecar."""
    backend = workload("thoughts-backend")
    image = "mythoughts/thoughts-backend:1.0.0"
    backend["spec"]["template"]["spec"] = {
        "initContainers": [{"name": "migrate", "image": image}],
        "containers": [
            {"name": "thoughts-backend", "image": f"{image}-0123456789ab"},
            {"name": "proxy", "image": "example.com/proxy:1"},
        ],
    }
    workplace.install("kind")
    workplace.answer("kubectl get deployment/thoughts-backend", backend)
    workplace.answer("kubectl get replicasets", items())
    return workplace


def test_only_this_image_is_built(deployed: Workplace) -> None:
    """Only the image of the service is built."""
    outcome = deployed.run("redeploy", **SERVICE)

    assert outcome.status == 0, outcome.errors
    assert [call.line for call in deployed.calls("make")] == [
        "make images SERVICE=thoughts-backend"
    ]


def test_new_image_is_loaded(deployed: Workplace) -> None:
    """It is loaded under a name that identifies its content, and under that in the manifests."""
    deployed.run("redeploy", **SERVICE)

    (call,) = deployed.calls("kind load")
    assert call.words[-2:] == [NEW_IMAGE, "mythoughts/thoughts-backend:1.0.0"]


def test_every_container_of_the_image_gets_it(deployed: Workplace) -> None:
    """Init containers run the same code; containers of other images keep theirs."""
    deployed.run("redeploy", **SERVICE)

    (call,) = deployed.calls("kubectl --context kind-mythoughts set image")
    assert call.words[4:] == [
        "image",
        "deployment/thoughts-backend",
        f"migrate={NEW_IMAGE}",
        f"thoughts-backend={NEW_IMAGE}",
        "--namespace",
        "example",
    ]


@pytest.mark.parametrize("verb", ["redeploy", "deploy"])
def test_service_that_runs_a_working_tree_is_refused(deployed: Workplace, verb: str) -> None:
    """After a killed `make cluster-dev` nothing is built; the message says what to do first."""
    backend = workload("thoughts-backend")
    backend["metadata"]["annotations"] = {"mythoughts/replaced-template": "{}"}
    deployed.answer("kubectl get deployment/thoughts-backend", backend)
    deployed.answer("kubectl get deployments --namespace", items(backend))

    outcome = deployed.run(verb, **SERVICE, YES="1")

    assert outcome.status == 1
    assert "thoughts-backend runs a working tree" in outcome.errors
    assert "make cluster-dev" in outcome.errors
    assert deployed.calls("make") == []


def test_time_of_each_step_is_reported(deployed: Workplace) -> None:
    """The output has the time of building, loading, starting the pod, and the total."""
    outcome = deployed.run("redeploy", **SERVICE)

    told = [line.split()[0] for line in outcome.output.splitlines() if line.endswith(" s")]
    assert told == ["Building", "Bringing", "thoughts-backend"]
    assert f"thoughts-backend runs {NEW_IMAGE} after " in outcome.output


def test_cluster_of_this_machine_is_not_asked_about(deployed: Workplace) -> None:
    """A cluster created by kind is named, and changed without a question."""
    outcome = deployed.run("redeploy", **SERVICE)

    assert "in the cluster kind-mythoughts" in outcome.output


def test_any_other_cluster_is_asked_about(deployed: Workplace) -> None:
    """Another cluster may belong to others: without confirmation nothing is built."""
    outcome = deployed.run("redeploy", SERVICE="thoughts-backend", IMAGE_LOADER="none")

    assert outcome.status == 1
    assert "add YES=1 to the command" in outcome.errors
    assert deployed.calls("make") == []


@pytest.mark.parametrize(
    ("name", "problem"), [("", "Set SERVICE to"), ("thoughts", "SERVICE=thoughts is not")]
)
def test_unknown_service_is_refused(deployed: Workplace, name: str, problem: str) -> None:
    """The message lists the names that exist."""
    outcome = deployed.run("redeploy", CONTEXT="kind-mythoughts", SERVICE=name)

    assert f"{problem} one of thoughts-backend, users-backend, frontend." in outcome.errors


def test_missing_service_is_reported_before_building(deployed: Workplace) -> None:
    """If nothing is deployed, there is nothing to replace."""
    deployed.answer("kubectl get deployment/thoughts-backend", status=1, error="NotFound")

    outcome = deployed.run("redeploy", **SERVICE)

    assert outcome.status == 1
    assert deployed.calls("make") == []


def test_pod_that_does_not_get_ready_is_explained(deployed: Workplace) -> None:
    """The message gives the reason, says that the old pods keep serving, and how to roll back."""
    refused = workload("thoughts-backend", ready=False)
    refused["status"]["conditions"] = [{"type": "ReplicaFailure", "message": "quota exceeded"}]
    deployed.answer("kubectl get deployments,statefulsets,pods", items(refused))

    outcome = deployed.run("redeploy", **SERVICE, WAIT_SECONDS="1")

    assert outcome.status == 1
    assert "Not ready after 1 s:\n  thoughts-backend: quota exceeded" in outcome.errors
    assert "The old pods keep serving" in outcome.errors
    assert (
        "kubectl --context kind-mythoughts --namespace example "
        "rollout undo deployment/thoughts-backend"
    ) in outcome.errors


def test_workloads_beside_it_are_not_waited_for(deployed: Workplace) -> None:
    """A Frontend that is stuck for its own reasons does not delay a backend."""
    deployed.answer(
        "kubectl get deployments,statefulsets,pods",
        items(workload("thoughts-backend"), workload("frontend", ready=False)),
    )

    outcome = deployed.run("redeploy", **SERVICE, WAIT_SECONDS="1")

    assert outcome.status == 0, outcome.errors


@pytest.mark.parametrize("before", [(), DEAF], ids=["plain", "deaf"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_wait_is_explained(
    deployed: Workplace, number: signal.Signals, before: Sequence[str]
) -> None:
    """A stop while waiting prints the same advice, without a traceback."""
    deployed.answer("kubectl get events", items())
    stuck = items(workload("thoughts-backend", ready=False))
    deployed.answer("kubectl get deployments,statefulsets,pods", stuck)
    with subprocess.Popen(
        [*before, sys.executable, "-m", "deploy", "redeploy"],
        cwd=deployed.tree,
        env=deployed.environment(SERVICE),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        wait_until(
            lambda: (
                deployed.calls("kubectl --context kind-mythoughts get deployments,")
                or process.poll() is not None
            )
        )
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)

    assert process.returncode == 1
    assert "rollout undo deployment/thoughts-backend" in errors
    assert "Traceback" not in errors
