"""`make cluster-dev`: how a run begins and ends, and what it shows."""

import psutil
import pytest

from local.ports import free_port
from testkit.developer import PACKAGES, Developer, Run, deployment
from testkit.pretend_pod import Pod
from testkit.waiting import wait_until


def test_logs_have_the_name_of_their_service(developer: Developer) -> None:
    """The logs of all pods are shown."""
    for workload in PACKAGES:
        developer.write_text(f"text of {workload}", workload)

    run = developer.start()

    for name, workload in zip(("frontend", "thoughts", "users"), PACKAGES, strict=True):
        run.wait_for(f"{name:8} | started with text of {workload}\n")


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


def test_second_terminal_is_told(developer: Developer, frontend: tuple[Run, Pod]) -> None:
    """Started a second time, it names who is already running it, and changes nothing."""
    first, _ = frontend

    second = developer.start()

    assert second.process.wait(60) == 1
    assert f"(process {first.process.pid}) is already running `make cluster-dev`" in second.output
    assert len(developer.cluster.pods_of("users-backend")) == 1
    assert not developer.cluster.pods_of("users-backend")[0].takes_code


def test_expired_lease_is_taken_over(developer: Developer) -> None:
    """If a developer's machine disappears, only the lease is left, until it expires."""
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
    """A run whose lease another one has taken ends, and changes nothing more."""
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


def test_undeploying_ends_the_run(developer: Developer, frontend: tuple[Run, Pod]) -> None:
    """A run whose lease is gone says that the system may have been undeployed."""
    run, _ = frontend

    developer.cluster.objects.clear()
    run.interrupt()

    assert run.process.returncode == 1
    assert "`make undeploy` deleted it" in run.output


def test_end_gives_the_other_images_back_if_one_fails(developer: Developer) -> None:
    """A Deployment that cannot be changed is reported; the others get their images back."""
    run = developer.start()
    run.wait_for("the working tree: live in 1 pod", times=3)

    developer.cluster.failing.add(("patch", "deployment/thoughts-backend"))
    run.interrupt()

    templates = [developer.cluster.deployment(name)["spec"]["template"] for name in PACKAGES]
    originals = [deployment(name)["spec"]["template"] for name in PACKAGES]
    assert run.process.returncode == 1
    assert "patch deployment/thoughts-backend" in run.output
    assert [a == b for a, b in zip(templates, originals, strict=True)] == [True, False, True]


# A kubectl that sends SIGTERM to the run when it is told to stop forwarding, and at the next look
# at the Deployment once the file STOPPED exists.
STOPPING_KUBECTL = """
case "$*" in
*port-forward*)
    trap 'kill -TERM $PPID; kill $!' TERM
    ANSWERING &
    wait
    wait ;;
*"get deployment/frontend"*)
    test ! -e "STOPPED" || kill -TERM $PPID
    ANSWERING ;;
*)
    exec ANSWERING ;;
esac"""


def test_signals_at_the_end_leave_nothing_half_done(developer: Developer) -> None:
    """Stopped again while it stops, it still ends each kubectl and restores the image."""
    stopped, kubectl = developer.tree / "stopped", developer.cluster.bin / "kubectl"
    answering = kubectl.read_text().removeprefix("#!/bin/sh\nexec ").strip()
    kubectl.unlink()
    script = STOPPING_KUBECTL.replace("ANSWERING", answering).replace("STOPPED", str(stopped))
    developer.install("kubectl", script)
    port = free_port()
    developer.cluster.forwarded = {"deployment/frontend": port}
    run = developer.start(SERVICE="frontend", DEBUGGER=str(port))
    run.wait_for("live in 1 pod")
    wait_until(lambda: any(call[0] == "port-forward" for call in developer.cluster.calls))
    kubectls = psutil.Process(run.process.pid).children(recursive=True)

    stopped.touch()
    run.interrupt()

    left = psutil.wait_procs(kubectls, timeout=20)[1]
    for process in left:
        process.kill()
    template = developer.cluster.deployment("frontend")["spec"]["template"]
    assert run.process.returncode == 0
    assert len(kubectls) >= 3
    assert left == []
    assert template == deployment("frontend")["spec"]["template"]
    assert "lease/development" not in developer.cluster.objects


@pytest.mark.parametrize("name", ["lease/development", "deployment/frontend"])
def test_end_does_not_wait_forever_for_kubectl(developer: Developer, name: str) -> None:
    """A kubectl that does not return is ended, and the output says how to begin again."""
    lease = developer.tree / "deploy" / "lease.py"
    lease.write_text(lease.read_text().replace("LIMIT_SECONDS = 20", "LIMIT_SECONDS = 1"))
    kubectl = developer.cluster.bin / "kubectl"
    answering = kubectl.read_text().removeprefix("#!/bin/sh\n")
    run = developer.start(SERVICE="frontend")
    run.wait_for("live in 1 pod")

    kubectl.unlink()
    developer.install("kubectl", f'test "$4" != {name} || exec sleep 600\n{answering}')
    run.interrupt()

    assert run.process.returncode == 1
    assert "It did not end within 1 s." in run.output
    assert "Pods may still run the working tree" in run.output
    assert "run the same command again, and end it by Ctrl-C" in run.output


def test_cluster_of_unknown_kind_needs_no_way_for_images(developer: Developer) -> None:
    """It matters how images get to the cluster only once there is one to build."""
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
    """A run that was killed leaves the working tree there; the next one restores the image."""
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
