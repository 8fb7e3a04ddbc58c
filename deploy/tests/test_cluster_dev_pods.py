"""`make cluster-dev`: pods that come, go and fail, and migrations."""

import shutil

import pytest

from testkit.developer import Developer, Run, answer_of
from testkit.pretend_pod import Pod
from testkit.waiting import wait_until


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


def test_init_containers_that_others_have_added_stay(developer: Developer) -> None:
    """They run after the code has arrived, also those of the Frontend, which has none itself."""
    added = {"name": "added", "image": "example.com/added:1", "command": ["python", "-c", "pass"]}
    pods = developer.cluster.deployment("frontend")["spec"]["template"]["spec"]
    pods["initContainers"] = [added]

    developer.start(SERVICE="frontend")
    (pod,) = developer.cluster.pods_of("frontend", ready=1)

    names = [container["name"] for container in pod.template["spec"]["initContainers"]]
    assert names == ["source", "added"]


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


def test_pod_that_cannot_start_is_explained_once(developer: Developer) -> None:
    """If a node cannot get the image, say so, also after the pods have been listed again."""
    cluster = developer.cluster
    (container,) = cluster.deployment("frontend")["spec"]["template"]["spec"]["containers"]
    cluster.missing_images.add(container["image"])
    run = developer.start(SERVICE="frontend")
    run.wait_for("does not start: container source, ErrImagePull")
    (refused,) = [pod for pod in cluster.pods_of("frontend") if pod.takes_code]

    cluster.missing_images.clear()
    cluster.break_connections()
    wait_until(lambda: [call[:2] for call in cluster.calls].count(["get", "pods"]) == 2)
    cluster.delete_pod(refused)
    run.wait_for("live in 1 pod")

    assert run.output.count("does not start") == 1


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
    """Only the folder is known to have changed; the migration is noticed nevertheless."""
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


@pytest.mark.parametrize("by_enter", [True, False])
def test_failed_restart_is_tried_again(developer: Developer, by_enter: bool) -> None:
    """If the request for new pods fails, Enter or the next change repeats it."""
    run = developer.start(SERVICE="thoughts-backend")
    run.wait_for("live in 1 pod")
    migrations = developer.package("thoughts-backend") / "migrations"
    developer.cluster.failing.add(("rollout", "restart"))
    migrations.mkdir()
    (migrations / "0002.py").touch()
    run.wait_for("Press Enter to try again")
    developer.cluster.failing.clear()

    if by_enter:
        run.press_enter()
    else:
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
