"""Backup and restore of a local cluster, with the exact commands in docs/operations/back-up.md."""

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from testkit.kubernetes import Cluster
from testkit.markdown import section
from testkit.system import User, unique
from testkit.thoughts import own_texts, share
from testkit.waiting import wait_until
from tooling.project import ROOT

PAGE = (ROOT / "docs" / "operations" / "back-up.md").read_text()


def blocks(heading: str) -> list[str]:
    """The blocks of commands in this section of the page."""
    found = re.findall(r"^ *```sh\n(.*?)^ *```", section(PAGE, heading), re.DOTALL | re.MULTILINE)
    assert found
    return found


def commands(heading: str) -> str:
    """The commands in this section of the page, one block after the other."""
    return "".join(blocks(heading))


@pytest.fixture
def kubeconfig(cluster: Cluster, tmp_path: Path) -> Path:
    """A kubectl configuration whose only context is that of the cluster."""
    path = tmp_path / "kubeconfig"
    path.write_text(cluster.kubectl("config", "view", "--minify", "--raw", "--flatten"))
    return path


def run(block: str, kubeconfig: Path) -> str:
    """Run a block of commands in a shell that stops at the first error; returns the output."""
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", block],
        cwd=ROOT,
        env={**os.environ, "KUBECONFIG": str(kubeconfig)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_restoring_brings_back_what_was_backed_up(
    cluster: Cluster, kubeconfig: Path, writer: User
) -> None:
    """Thoughts are as they were when the backup was made, and users log in again."""
    thoughts = cluster.system.thoughts(writer)
    before, after = unique("before"), unique("after")
    thought_id = share(thoughts, before)

    run(commands("## Back up a cluster for trying out"), kubeconfig)
    assert thoughts.delete(f"/api/me/thoughts/{thought_id}/").status == 204
    share(thoughts, after)
    run(commands("## Restore a cluster for trying out"), kubeconfig)
    cluster.restore()

    assert cluster.system.thoughts(writer).get("/api/me/thoughts/").status == 401
    token = cluster.system.log_in(writer.username, writer.password)
    assert own_texts(cluster.system.thoughts(replace(writer, token=token))) == [before]


@pytest.fixture
def jobs(cluster: Cluster) -> Iterator[Cluster]:
    """The cluster; after the test the Jobs of these tests are gone."""
    yield cluster
    cluster.kubectl("delete", "job", "back-up-now", "restore", "--ignore-not-found")


def test_backup_waits_for_the_databases(jobs: Cluster, kubeconfig: Path) -> None:
    """A backup that cannot connect yet waits, as a new pod must where policies are enforced."""
    create, *others = commands("## Back up a cluster for trying out").splitlines(keepends=True)
    jobs.stop_database()

    run(create, kubeconfig)
    wait_until(lambda: jobs.get("job/back-up-now")["status"].get("active"), what="the Job runs")
    jobs.start_database()
    output = run("".join(others[:-1]), kubeconfig)

    assert "Backed up to" in output
    assert not jobs.get("job/back-up-now")["status"].get("failed")


def test_failed_restore_is_reported_at_once(jobs: Cluster, kubeconfig: Path) -> None:
    """The wait in the documentation ends with the Job, and the log has the error."""
    _, restore, _ = blocks("## Restore a cluster for trying out")
    missing = "kubectl set env --local --filename=- --output=yaml BACKUP=missing | "
    restore = restore.replace("kubectl apply", f"{missing}kubectl apply")

    output = run(restore.replace("5m", "2m"), kubeconfig)

    assert "There is no backup missing." in output
