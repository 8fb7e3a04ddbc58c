"""After a faulty deployment the new pods report what is wrong, and the old ones keep serving."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.overlays import LOCAL
from testkit.kubernetes import Cluster
from testkit.load import load
from testkit.system import User
from testkit.waiting import wait_until

SECONDS = 120


@pytest.fixture
def undone(cluster: Cluster) -> Iterator[Cluster]:
    """The cluster; after the test the Deployments are restored, whatever it deployed."""
    services = ("thoughts", "users", "frontend")
    before = {service: cluster.template_of(service) for service in services}
    yield cluster
    for service in services:
        if cluster.template_of(service) != before[service]:
            cluster.undo_rollout(service)


def wait_for_new_pod(
    cluster: Cluster, service: str, what: str, says: Callable[[dict[str, Any]], bool]
) -> None:
    """Wait until `says` is true of one of the service's pods, such as a new one."""

    def is_said() -> bool:
        return any(says(pod) for pod in cluster.pods(service))

    wait_until(is_said, what=what, seconds=SECONDS)


def states_of(pod: dict[str, Any]) -> list[dict[str, Any]]:
    """The states of the pod's containers, now and before their last restart."""
    statuses = [
        *pod["status"].get("initContainerStatuses", []),
        *pod["status"].get("containerStatuses", []),
    ]
    return [state for status in statuses for state in (status["state"], status.get("lastState"))]


def waits_for(pod: dict[str, Any], *reasons: str) -> bool:
    """Whether a container waits for one of these reasons."""
    return any(
        (state or {}).get("waiting", {}).get("reason") in reasons for state in states_of(pod)
    )


def last_words(pod: dict[str, Any]) -> set[str]:
    """The termination messages of the pod's containers."""
    ends = [(state or {}).get("terminated", {}) for state in states_of(pod)]
    return {end["message"].strip() for end in ends if end.get("message")}


def test_missing_image_stops_the_rollout_and_old_pods_serve(undone: Cluster, writer: User) -> None:
    """If the image cannot be pulled, no request fails: the old pods keep serving."""
    with load(undone.system, writer) as requests:
        undone.kubectl("set", "image", "deployment/frontend", "frontend=mythoughts/frontend:0.0.0")
        wait_for_new_pod(
            undone,
            "frontend",
            "the image is missed",
            lambda pod: waits_for(pod, "ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull"),
        )
        requests.wait_for_more()

    assert not requests.failures


def test_failed_migration_stops_the_rollout_and_old_pods_serve(
    cluster: Cluster, writer: User
) -> None:
    """A revision that PostgreSQL rejects is reported in one line, and the old pods keep serving."""
    kept = cluster.psql("thoughts", "thoughts", "SELECT version_num FROM alembic_version")
    # Now the first revision is applied again, to tables that already exist.
    cluster.psql("thoughts", "thoughts", "DELETE FROM alembic_version")

    with load(cluster.system, writer) as requests:
        cluster.kubectl("rollout", "restart", "deployment/thoughts-backend")
        wait_for_new_pod(
            cluster,
            "thoughts",
            "the migration fails",
            lambda pod: any(
                "not migrated" in word and "exists" in word for word in last_words(pod)
            ),
        )
        requests.wait_for_more()
        restore = f"INSERT INTO alembic_version VALUES ('{kept}')"  # noqa: S608
        cluster.psql("thoughts", "thoughts", restore)
        cluster.wait_for_rollout("thoughts")

    assert not requests.failures


def test_missing_secret_is_named_and_old_pods_serve(cluster: Cluster, writer: User) -> None:
    """Without the Secret with its keys a new pod does not start, and an event names the Secret."""
    secret = cluster.get("secret/token-private-keys")
    cluster.kubectl("delete", "secret", "token-private-keys")

    try:
        with load(cluster.system, writer) as requests:
            cluster.kubectl("rollout", "restart", "deployment/users-backend")
            wait_until(
                lambda: 'secret "token-private-keys" not found' in cluster.kubectl("get", "events"),
                what="the missing Secret is named",
                seconds=SECONDS,
            )
            requests.wait_for_more()
    finally:
        cluster.create(secret)
        cluster.wait_for_rollout("users")

    assert not requests.failures


@pytest.mark.parametrize("service", ["thoughts", "users", "frontend"])
def test_missing_key_file_is_named_by_the_pod(undone: Cluster, service: str) -> None:
    """A new pod without the public keys reports this in one line, and never becomes ready."""
    path = Path("/etc/mythoughts/nothing.json")

    undone.set_variable(service, "TOKEN_PUBLIC_KEYS_PATH", str(path))

    wait_for_new_pod(
        undone,
        service,
        "the missing file is named",
        lambda pod: any(str(path) in word for word in last_words(pod)),
    )
    said = set().union(*(last_words(pod) for pod in undone.pods(service)))
    assert all(len(word.splitlines()) == 1 for word in said)
    assert undone.is_ready(service)


def test_wrong_password_makes_pods_unready_and_restarts_none(cluster: Cluster) -> None:
    """A pod whose password is rejected logs this; with the right password it serves again."""
    password = (LOCAL.secrets / "thoughts-database-service-password").read_text().strip()
    lives = cluster.lives_of("thoughts")

    try:
        cluster.psql("thoughts", "postgres", "ALTER ROLE thoughts_service PASSWORD 'another'")
        cluster.psql(
            "thoughts",
            "postgres",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = 'thoughts_service'",
        )
        wait_until(lambda: not cluster.is_ready("thoughts"), what="the pod is unready")
        assert "password authentication failed" in cluster.log_of("thoughts")
    finally:
        cluster.psql("thoughts", "postgres", f"ALTER ROLE thoughts_service PASSWORD '{password}'")

    wait_until(lambda: cluster.is_ready("thoughts"), what="the pod is ready")
    assert cluster.lives_of("thoughts") == lives


def test_new_pod_waits_for_a_password_that_is_refused(cluster: Cluster) -> None:
    """A pod that starts with a rejected password does not crash: it waits, and logs why."""
    password = (LOCAL.secrets / "thoughts-database-password").read_text().strip()
    cluster.restart("thoughts")
    old = [pod["metadata"]["name"] for pod in cluster.pods("thoughts")]

    try:
        cluster.psql("thoughts", "postgres", "ALTER ROLE thoughts PASSWORD 'another'")
        cluster.kubectl("rollout", "restart", "deployment/thoughts-backend")
        wait_until(
            lambda: any(
                "password authentication failed" in cluster.init_log_of(pod, "migrate")
                for pod in cluster.pods("thoughts")
            ),
            what="the refused password is in the log",
            seconds=SECONDS,
        )
    finally:
        cluster.psql("thoughts", "postgres", f"ALTER ROLE thoughts PASSWORD '{password}'")

    cluster.wait_for_rollout("thoughts")
    restarts = [
        status["restartCount"]
        for pod in cluster.pods("thoughts")
        if pod["metadata"]["name"] not in old
        for status in pod["status"]["initContainerStatuses"]
    ]
    assert set(restarts) == {0}
