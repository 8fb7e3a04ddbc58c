"""The trees in which the runner's tests run the system."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from testkit.trees import SHARED_TEXT, Tree, temporary_tree


@pytest.fixture
def tree() -> Iterator[Tree]:
    """A tree that has never run, in a folder whose name has spaces and other scripts."""
    yield from temporary_tree("my thoughts 我的想法")


@pytest.fixture(scope="session")
def running() -> Iterator[Tree]:
    """A tree whose first run is in progress, `running.runs[0]`; tests do not change it."""
    for tree in temporary_tree("running"):
        tree.start()
        yield tree


@pytest.fixture(scope="session")
def used_local() -> Iterator[Path]:
    """The folder `.local` of a system that ran, stored a thought and was stopped."""
    for tree in temporary_tree("used"):
        run = tree.start()
        token = tree.log_in("stephen", "stephen")
        shared = tree.http("thoughts").post(
            "/api/me/thoughts/", json={"text": SHARED_TEXT}, token=token
        )
        assert shared.status == 201
        run.send(signal.SIGINT)
        run.wait()
        yield tree.local


@pytest.fixture
def used_tree(tree: Tree, used_local: Path) -> Tree:
    """A tree that has run before, so that it starts faster."""
    # With `cp`, because the data may belong to another account, which must remain its owner.
    subprocess.run(["cp", "-a", used_local, tree.local], check=True)
    return tree


@pytest.fixture
def all_gone() -> Callable[[list[psutil.Process]], bool]:
    """A function that waits for processes to end and returns whether all have."""

    def wait(processes: list[psutil.Process]) -> bool:
        return not psutil.wait_procs(processes, timeout=20)[1]

    return wait
