"""Backup and restore of a local cluster, with the exact commands in docs/operations.md."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from testkit.kubernetes import Cluster
from testkit.markdown import section
from testkit.system import User, unique
from testkit.thoughts import own_texts, share
from tooling.project import ROOT

OPERATIONS = (ROOT / "docs" / "operations.md").read_text()


def commands(cluster_word: str) -> str:
    """The block of cluster commands that contains this word, in the section about backups."""
    text = section(OPERATIONS, "## Backing up and restoring")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    (block,) = [block for block in blocks if f"kubectl -n example {cluster_word}" in block]
    return str(block)


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
    """A thought deleted after the backup is back, and one shared after it is gone."""
    thoughts = cluster.system.thoughts(writer)
    before, after = unique("before"), unique("after")
    thought_id = share(thoughts, before)

    run(commands("create job back-up-now"), kubeconfig)
    assert thoughts.delete(f"/api/me/thoughts/{thought_id}/").status == 204
    share(thoughts, after)
    run(commands("create job restore"), kubeconfig)
    cluster.restore()

    assert own_texts(cluster.system.thoughts(writer)) == [before]
    assert cluster.system.log_in(writer.username, writer.password)
