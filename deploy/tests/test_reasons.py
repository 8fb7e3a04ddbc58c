"""The reason reported for a workload that is not ready."""

from typing import Any

import pytest

from deploy import rollout
from deploy.kubectl import NAMESPACE, Kubectl
from deploy.reasons import is_ready, reason_of
from testkit.stand_ins import Workplace, items, workload
from tooling.failures import Failure

POD = "frontend-6f-x"


@pytest.fixture
def kubectl(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> Kubectl:
    """The stand-in for kubectl, in a cluster without events and logs."""
    monkeypatch.setenv("PATH", workplace.environment({})["PATH"])
    workplace.answer("kubectl get events", items())
    workplace.answer(f"kubectl logs {POD}", status=1, error="container is waiting to start")
    return Kubectl("somewhere")


def pod(*containers: dict[str, Any], name: str = POD, **metadata: str) -> dict[str, Any]:
    """A pod of the Frontend that is not ready, as the API server returns it."""
    return {
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "example",
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {"app.kubernetes.io/name": "frontend"},
            **metadata,
        },
        "status": {"phase": "Pending", "containerStatuses": list(containers)},
    }


def container(kind: str, **details: Any) -> dict[str, Any]:
    """The status of a container that is `waiting`, `running` or `terminated`."""
    return {"name": "frontend", "ready": False, "state": {kind: details}}


def reason(kubectl: Kubectl, *pods: dict[str, Any], **status: Any) -> str:
    """The reason reported for the Frontend with these pods."""
    frontend = workload("frontend", ready=False)
    frontend["status"].update(status)
    return reason_of(frontend, pods, kubectl)


def test_missing_image(kubectl: Kubectl) -> None:
    """A missing image is reported with the pod, the container and the cluster's message."""
    state = container("waiting", reason="ErrImageNeverPull", message="image is not present")

    assert reason(kubectl, pod(state)) == (
        f"pod {POD}, container frontend, ErrImageNeverPull image is not present"
    )


def test_crashing_container(kubectl: Kubectl, workplace: Workplace) -> None:
    """The reason includes the last line that a crashing container wrote."""
    workplace.answer(f"kubectl logs {POD} --container frontend", "PORT: '0' does not fit\n")
    state = container("waiting", reason="CrashLoopBackOff", message="back-off 10s")

    assert reason(kubectl, pod(state)).endswith(
        "CrashLoopBackOff back-off 10s: PORT: '0' does not fit"
    )


def test_container_that_runs(kubectl: Kubectl, workplace: Workplace) -> None:
    """A container that runs but is not ready is also reported with its last line."""
    workplace.answer(f"kubectl logs {POD} --container frontend", "the database is away\n")

    assert reason(kubectl, pod(container("running"))) == (
        f"pod {POD}, container frontend, is running but not ready: the database is away"
    )


def test_container_that_ended(kubectl: Kubectl) -> None:
    """A nonzero exit status is reported."""
    assert reason(kubectl, pod(container("terminated", exitCode=2))).endswith(
        "ended with exit status 2"
    )


def test_init_container_comes_first(kubectl: Kubectl) -> None:
    """While an init container runs, the others wait for it and are not the reason."""
    waiting = pod(container("waiting", reason="PodInitializing"))
    migration = {"name": "migrate", "ready": False, "state": {"running": {}}}
    waiting["status"]["initContainerStatuses"] = [migration]

    assert "container migrate, is running but not ready" in reason(kubectl, waiting)


def test_finished_init_container_is_no_reason(kubectl: Kubectl) -> None:
    """A completed init container is not the reason."""
    started = pod(container("running"))
    done = {"name": "migrate", "ready": True, "state": {"terminated": {"exitCode": 0}}}
    started["status"]["initContainerStatuses"] = [done]

    assert "container frontend" in reason(kubectl, started)


def test_missing_secret(kubectl: Kubectl, workplace: Workplace) -> None:
    """If no container has started, the newest warning about the pod is reported."""
    workplace.answer(
        f"kubectl get events --field-selector=type=Warning,involvedObject.name={POD}",
        items(
            {"lastTimestamp": "2026-01-01T00:00:02Z", "message": 'secret "a" not found'},
            {"lastTimestamp": "2026-01-01T00:00:01Z", "message": "earlier"},
            {
                "lastTimestamp": None,
                "eventTime": "2026-01-01T00:00:00.500000Z",
                "message": "of the scheduler",
            },
        ),
    )

    assert reason(kubectl, pod(container("waiting", reason="ContainerCreating"))) == (
        f'pod {POD}: secret "a" not found'
    )


def test_pod_without_a_node(kubectl: Kubectl) -> None:
    """A pod that fits on no node is reported with the scheduler's message."""
    lost = pod()
    lost["status"]["conditions"] = [
        {"type": "PodScheduled", "status": "False", "message": "0/1 nodes: Insufficient memory"}
    ]

    assert reason(kubectl, lost) == f"pod {POD}: 0/1 nodes: Insufficient memory"


def test_refused_pod(kubectl: Kubectl) -> None:
    """If the cluster refuses to create pods, its message is reported."""
    refused = {"type": "ReplicaFailure", "message": "violates PodSecurity"}

    assert reason(kubectl, conditions=[refused]) == "violates PodSecurity"


def test_pod_that_is_about_to_end_is_no_reason(kubectl: Kubectl) -> None:
    """Old pods that are still stopping are not the reason."""
    ending = pod(container("terminated", exitCode=1), deletionTimestamp="2026-01-01T00:00:00Z")

    assert reason(kubectl, ending) == "its pods are being replaced"


def test_pod_of_another_workload_is_no_reason(kubectl: Kubectl) -> None:
    """Only pods with the workload's labels count."""
    other = pod(container("terminated", exitCode=1))
    other["metadata"]["labels"] = {"app.kubernetes.io/name": "users-backend"}

    assert reason(kubectl, other) == "its pods are being replaced"


def test_newest_pod_is_reported(kubectl: Kubectl) -> None:
    """Of several pods the newest is reported, because it has the newest fault."""
    older = pod(container("terminated", exitCode=1), name="older")
    newer = pod(
        container("terminated", exitCode=2), name="newer", creationTimestamp="2026-01-02T00:00:00Z"
    )

    assert reason(kubectl, newer, older).startswith("pod newer")


def test_long_reasons_are_cut(kubectl: Kubectl) -> None:
    """A reason stays readable, however long a line a program writes."""
    state = container("waiting", reason="ErrImagePull", message="x" * 5000)

    assert len(reason(kubectl, pod(state))) < 500


@pytest.mark.parametrize(
    ("kind", "status", "ready"),
    [
        ("Deployment", {}, True),
        ("Deployment", {"observedGeneration": 1}, False),
        ("Deployment", {"updatedReplicas": 0}, False),
        ("Deployment", {"availableReplicas": 0}, False),
        ("Deployment", {"replicas": 2}, False),
        ("StatefulSet", {}, True),
        ("StatefulSet", {"readyReplicas": 0}, False),
        ("StatefulSet", {"updateRevision": "2"}, False),
    ],
)
def test_when_a_workload_is_ready(kind: str, status: dict[str, Any], *, ready: bool) -> None:
    """It is ready when all pods of the newest template are, and no older pod is left."""
    thing = workload("frontend", kind=kind)
    thing["status"].update(status)

    assert is_ready(thing) is ready


def test_reasons_that_alternate_are_reported_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The kubelet pulls, fails and waits, again and again."""
    states = ["ErrImagePull", "ImagePullBackOff"] * 5

    def look(*_: object) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        if not states:
            raise Failure("seen enough")
        waiting = container("waiting", reason=states.pop())
        return {"frontend": workload("frontend", ready=False)}, [pod(waiting)]

    monkeypatch.setattr(rollout, "_look", look)
    monkeypatch.setattr(rollout, "_REPORT_SECONDS", 0)
    monkeypatch.setattr(rollout, "_PAUSE_SECONDS", 0)
    monkeypatch.setattr(Kubectl, "run", lambda *_, **__: "")

    with pytest.raises(Failure, match="seen enough"):
        rollout.wait_until_ready(Kubectl("somewhere"), NAMESPACE, seconds=60)

    output = capsys.readouterr().out
    assert [output.count(reason) for reason in ("ErrImagePull", "ImagePullBackOff")] == [1, 1]
