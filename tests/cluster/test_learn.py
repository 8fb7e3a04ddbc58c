"""The exercises in docs/learn.md: their exact commands, and what one should see."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from testkit.kubernetes import Cluster
from testkit.load import Load, load
from testkit.markdown import section
from testkit.system import User
from testkit.thoughts import own_texts, share
from tooling.project import ROOT

PAGE = (ROOT / "docs" / "learn.md").read_text()
START_LOAD = PAGE.partition("\n## ")[0]


def blocks(text: str) -> list[str]:
    """The blocks of commands in a part of the page."""
    found = re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert found
    return found


class Shell:
    """Runs blocks of commands as a reader does; `variables` are what the page asks for."""

    def __init__(self, kubeconfig: Path, variables: dict[str, str]) -> None:
        self._environment = {**os.environ, "KUBECONFIG": str(kubeconfig), "YES": "1", **variables}

    def run(self, block: str) -> str:
        """Run a block, which must succeed; returns its output."""
        done = subprocess.run(
            ["bash", "-eu", "-o", "pipefail", "-c", block],
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def shell(cluster: Cluster, tmp_path: Path) -> Shell:
    """A shell whose kubectl has the cluster as its only context."""
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(cluster.kubectl("config", "view", "--minify", "--raw", "--flatten"))
    variables = {
        "TOKEN": cluster.system.admin.token,
        "THOUGHTS": cluster.system.url_of("thoughts"),
    }
    return Shell(kubeconfig, variables)


def exercise(heading: str) -> list[str]:
    """The blocks of commands of an exercise: those that break something, and those that end it."""
    return blocks(section(PAGE, f"## {heading}"))


def assert_nothing_failed(requests: Load, cluster: Cluster, writer: User) -> None:
    """No request failed, and what was confirmed is there."""
    assert not requests.failures
    assert set(requests.confirmed) <= set(own_texts(cluster.system.thoughts(writer)))


def test_killing_a_pod(cluster: Cluster, shell: Shell, writer: User) -> None:
    """A new pod takes the place of the killed one, and no request fails."""
    kill, end = exercise("1. Kill a pod")

    with load(cluster.system, writer) as requests:
        output = shell.run(kill)
        requests.wait_for_more()

    killed = re.findall(r'^pod "([^"]+)".* deleted', output, re.MULTILINE)
    assert len(killed) == 1
    assert killed[0] not in {pod["metadata"]["name"] for pod in cluster.pods("frontend")}
    assert_nothing_failed(requests, cluster, writer)
    shell.run(end)


def test_breaking_the_database(cluster: Cluster, shell: Shell, writer: User) -> None:
    """The backend says why it is unready and is not restarted; logging in works all the time."""
    stop, start = exercise("2. Break the database")
    share(cluster.system.thoughts(writer), "Kept.")
    lives = cluster.lives_of("thoughts")

    output = shell.run(stop)

    assert "database unavailable" in output
    assert cluster.lives_of("thoughts") == lives
    assert cluster.system.frontend(writer).get("/").status == 503
    assert cluster.system.log_in(writer.username, writer.password)
    shell.run(start)
    cluster.wait_for_answer("thoughts")
    assert own_texts(cluster.system.thoughts(writer)) == ["Kept."]
    assert cluster.lives_of("thoughts") == lives


def test_rolling_out_a_bad_image(cluster: Cluster, shell: Shell, writer: User) -> None:
    """The new pod cannot pull its image, the old one serves, and `undo` ends the exercise."""
    roll_out, undo = exercise("3. Roll out a bad image")

    with load(cluster.system, writer) as requests:
        output = shell.run(roll_out)
        requests.wait_for_more()

    assert re.search(r"ErrImagePull|ImagePullBackOff", output)
    assert re.search(r" 1/1 +Running ", output)
    assert_nothing_failed(requests, cluster, writer)
    shell.run(undo)


def test_overload(cluster: Cluster, shell: Shell) -> None:
    """Most requests to a slow backend get 503, its pods stay, and other pages are served."""
    slow, end = exercise("4. Overload")
    lives = cluster.lives_of("thoughts")
    for block in blocks(START_LOAD):
        shell.run(block)

    output = shell.run(slow)

    total = output.splitlines()[-1]
    counts = {status: int(count) for count, status in re.findall(r"(\d+) x (\d+)", total)}
    assert counts["503"] > counts["200"] > 0
    assert cluster.lives_of("thoughts") == lives
    assert cluster.system.frontend().get("/login/").status == 200
    events = cluster.system.thoughts(cluster.system.admin).get("/admin/audit/").json()
    assert events[0]["event"] == "faults set"
    shell.run(end)
    assert cluster.system.frontend().get("/search?search=time").status == 200


def test_rotating_the_keys(cluster: Cluster, shell: Shell, writer: User) -> None:
    """There is another key, the user stays logged in, and no pod is replaced."""
    (rotate,) = exercise("5. Rotate the keys")
    before = cluster.system.users().get("/.well-known/jwks.json").json()["keys"]
    lives = {service: cluster.lives_of(service) for service in ("thoughts", "users", "frontend")}

    output = shell.run(rotate)

    assert output.count('"kid"') > 1
    assert not all(key["kid"] in {old["kid"] for old in before} for key in keys_in(output))
    assert cluster.system.thoughts(writer).get("/api/me/thoughts/").status == 200
    assert {service: cluster.lives_of(service) for service in lives} == lives


def keys_in(output: str) -> list[dict[str, str]]:
    """The public keys that the last command has printed."""
    keys: list[dict[str, str]] = json.loads(output[output.index("{") :])["keys"]
    return keys
