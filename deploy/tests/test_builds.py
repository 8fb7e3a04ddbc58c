"""Builds of an image: those that a cluster no longer needs are deleted after `make redeploy`."""

import pytest

from testkit.stand_ins import Workplace, items, workload

NAME = "mythoughts/frontend"
TAGS = "1.0.0\n1.0.0-2aaaaaaaaaaa\n1.0.0-before\n1.0.0-oldest\n0.9.0-oldest\nlatest\n"
SERVICE = {"SERVICE": "frontend", "YES": "1"}
REMOVE = {
    "kind-mythoughts": "docker exec mythoughts-control-plane crictl rmi",
    "k3d-mythoughts": "docker exec k3d-mythoughts-server-0 crictl rmi",
    "minikube": "minikube image rm --profile minikube",
}


@pytest.fixture
def used(workplace: Workplace) -> Workplace:
    """A workplace with builds in Docker, the newest and the one before of which are needed."""
    workplace.install("kind", "k3d", "minikube")
    workplace.answer("kubectl config get-contexts", "\n".join([*REMOVE, "somewhere"]))
    workplace.answer(f"docker image ls --format {{{{.Tag}}}} {NAME}", TAGS)
    workplace.answer("kubectl get deployment/frontend", workload("frontend"))
    workplace.answer(
        "kubectl get replicasets --selector=app.kubernetes.io/name=frontend",
        items(*(replica_set(f"{NAME}:1.0.0-{tag}") for tag in ("2aaaaaaaaaaa", "before"))),
    )
    return workplace


def replica_set(image: str) -> dict[str, object]:
    """A ReplicaSet whose pods run an image."""
    return {"spec": {"template": {"spec": {"containers": [{"image": image}]}}}}


def removed(workplace: Workplace) -> list[str]:
    """The images that Docker was told to delete."""
    return [call.words[-1] for call in workplace.calls("docker image rm")]


def test_only_builds_that_no_pod_can_need_are_deleted(used: Workplace) -> None:
    """What runs, what `rollout undo` can bring back, and other versions stay."""
    outcome = used.run("redeploy", **SERVICE, IMAGE_LOADER="none")

    assert outcome.status == 0, outcome.errors
    assert removed(used) == [f"{NAME}:1.0.0-oldest"]


@pytest.mark.parametrize("context", REMOVE)
def test_builds_are_deleted_in_the_cluster_as_well(used: Workplace, context: str) -> None:
    """kind, k3d and minikube delete them on their node."""
    used.run("redeploy", **SERVICE, CONTEXT=context)

    assert [call.line for call in used.calls(REMOVE[context])] == [
        f"{REMOVE[context]} {NAME}:1.0.0-oldest"
    ]


def test_deployment_succeeds_if_old_builds_cannot_be_found(used: Workplace) -> None:
    """What fails after the service runs the new image is no failure of the deployment."""
    selector = "--selector=app.kubernetes.io/name=frontend"
    used.answer(f"kubectl get replicasets {selector}", status=1)

    outcome = used.run("redeploy", **SERVICE, IMAGE_LOADER="none")

    assert outcome.status == 0, outcome.errors
    assert removed(used) == []


def test_build_that_is_gone_already_does_no_harm(used: Workplace) -> None:
    """The deployment has succeeded, whatever the node says about an image."""
    used.answer(REMOVE["kind-mythoughts"], status=1, error="no such image")

    outcome = used.run("redeploy", **SERVICE, CONTEXT="kind-mythoughts")

    assert outcome.status == 0, outcome.errors
    assert removed(used) == [f"{NAME}:1.0.0-oldest"]


def test_nothing_is_deleted_after_a_failure(used: Workplace) -> None:
    """As long as the new pods are not ready, everything stays."""
    stuck = items(workload("frontend", ready=False))
    used.answer("kubectl get deployments,statefulsets,pods", stuck)
    used.answer("kubectl get events", items())

    outcome = used.run("redeploy", **SERVICE, IMAGE_LOADER="none", WAIT_SECONDS="0")

    assert outcome.status == 1
    assert removed(used) == []
