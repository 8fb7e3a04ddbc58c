"""Backup and restore of a local cluster, with the exact commands in docs/operations/back-up.md."""

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

PAGE = (ROOT / "docs" / "operations" / "back-up.md").read_text()


def commands(heading: str) -> str:
    """The commands in this section of the page, one block after the other."""
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", section(PAGE, heading), re.DOTALL | re.MULTILINE)
    assert blocks
    return "".join(blocks)


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

    run(commands("## Back up a cluster for trying out"), kubeconfig)
    assert thoughts.delete(f"/api/me/thoughts/{thought_id}/").status == 204
    share(thoughts, after)
    run(commands("## Restore a cluster for trying out"), kubeconfig)
    cluster.restore()

    assert own_texts(cluster.system.thoughts(writer)) == [before]
    assert cluster.system.log_in(writer.username, writer.password)
