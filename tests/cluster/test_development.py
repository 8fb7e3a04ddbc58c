"""`make cluster-dev`: pods that run a working tree, and come and go."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from testkit.kubernetes import Cluster
from testkit.load import load
from testkit.system import User
from testkit.trees import Run, Tree, copy_tree
from testkit.waiting import wait_until

TEMPLATE = Path("services/frontend/src/frontend/templates/login.html")


@pytest.fixture
def tree(cluster: Cluster, tmp_path: Path) -> Iterator[Tree]:
    """A copy of the working tree; what runs there is stopped at the end."""
    tree = Tree(copy_tree(tmp_path / "tree"))
    yield tree
    for run in tree.runs:
        run.send(signal.SIGINT)
        run.wait()


@pytest.fixture
def developing(tree: Tree) -> Run:
    """The Frontend runs the working tree."""
    settings = {
        "CONTEXT": os.environ["MYTHOUGHTS_CONTEXT"],
        "SERVICE": "frontend",
        "YES": "1",
    }
    run = tree.run(sys.executable, "-m", "deploy", "cluster-dev", **settings)
    run.wait_for("the working tree: live in 1 pod")
    return run


def mark(tree: Tree, text: str) -> None:
    """Save the login page with a mark."""
    path = tree.path / TEMPLATE
    path.write_text(path.read_text().replace("</form>", f"</form><!-- {text} -->", 1))


def login_page(cluster: Cluster) -> str:
    """The login page as clients see it."""
    return cluster.system.frontend().get("/login/").text


def test_saved_template_is_live_and_no_request_fails(
    cluster: Cluster, tree: Tree, developing: Run, writer: User
) -> None:
    """Under load a saved file appears on the page, without a failed request."""
    with load(cluster.system, writer) as requests:
        mark(tree, "saved")
        developing.wait_for("login.html: live in 1 pod")
        requests.wait_for_more()

    assert "<!-- saved -->" in login_page(cluster)
    assert not requests.failures


def test_pods_that_come_serve_the_working_tree(
    cluster: Cluster, tree: Tree, developing: Run
) -> None:
    """A pod in place of a killed one, and one more, have the newest code before they serve."""
    mark(tree, "saved")
    developing.wait_for("login.html: live in 1 pod")

    cluster.kill("frontend")
    cluster.scale("frontend", 2)
    cluster.wait_for_answer("frontend")
    pages = [login_page(cluster) for _ in range(20)]
    mark(tree, "again")
    developing.wait_for("login.html: live in 2 pods")

    assert all("<!-- saved -->" in page for page in pages)
    # The old process may answer once more on a connection that the client has kept.
    wait_until(lambda: "<!-- again -->" in login_page(cluster))
    assert all("<!-- again -->" in login_page(cluster) for _ in range(20))


def test_end_gives_the_image_back(cluster: Cluster, tree: Tree) -> None:
    """After Ctrl-C the Deployment makes the pods that it made before."""
    before = cluster.template_of("frontend")
    settings = {"CONTEXT": os.environ["MYTHOUGHTS_CONTEXT"], "YES": "1"}
    run = tree.run(sys.executable, "-m", "deploy", "cluster-dev", SERVICE="frontend", **settings)
    run.wait_for("the working tree: live in 1 pod")

    run.send(signal.SIGINT)
    run.wait()

    assert cluster.template_of("frontend") == before
    cluster.wait_for_rollout("frontend")
    wait_until(lambda: cluster.is_ready("frontend"))
