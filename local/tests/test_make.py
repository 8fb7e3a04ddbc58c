"""The Makefile's verbs, run as a newcomer runs them: in a clone with nothing installed."""

import os
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.readiness import wait_until
from local.tests.trees import READY, ROOT, Tree, temporary_tree

INSTALLING = "Installing packages"


@pytest.fixture(scope="session")
def clone() -> Iterator[Tree]:
    """A tree in which `make up` has been run for the first time, and has been stopped."""
    for tree in temporary_tree("a clone 克隆"):
        first = tree.run("make", "up", "BACKGROUND=1")
        assert first.wait() == 0, first.output
        tree.run("make", "down").wait()
        yield tree


def test_first_make_up_installs_and_starts(clone: Tree) -> None:
    """On a fresh clone `make up` makes the environment, installs, and starts the system."""
    output = clone.runs[0].output

    assert output.index(INSTALLING) < output.index("Starting PostgreSQL") < output.index(READY)


def test_second_make_up_installs_nothing(clone: Tree) -> None:
    """The second `make up` has nothing to install, and `make down` stops what it started."""
    second = clone.run("make", "up", "BACKGROUND=1")
    second_status = second.wait()

    down = clone.run("make", "down")

    assert second_status == 0
    assert READY in second.output
    assert INSTALLING not in second.output
    assert down.wait() == 0
    assert "Stopping MyThoughts" in down.output


def test_make_dev_shows_a_change(clone: Tree) -> None:
    """Under `make dev` a changed template is on the page without anybody's doing."""
    run = clone.run("make", "dev")
    run.wait_for(READY)
    template = clone.path / "services/frontend/src/frontend/templates/login.html"

    template.write_text(template.read_text().replace("</form>", "</form><!-- new -->"))
    run.wait_for("login.html changed: ready again")

    with urllib.request.urlopen(f"{clone.url('frontend')}/login/", timeout=10) as page:
        assert "<!-- new -->" in page.read().decode()
    clone.run("make", "down").wait()


def test_make_dev_survives_broken_code(clone: Tree) -> None:
    """Under `make dev` a service with broken code is reported, and is back when it is mended."""
    run = clone.run("make", "dev")
    run.wait_for(READY)
    code = clone.path / "services/users_backend/src/users_backend/routes.py"
    working = code.read_text()

    code.write_text(working + "\ndef broken(:\n")
    run.wait_for("users ended with exit status")
    code.write_text(working)

    run.wait_for("routes.py changed: ready again")
    assert wait_until(lambda: bool(clone.log_in("bruce", "bruce")), seconds=10)
    clone.run("make", "down").wait()


def test_help_names_every_verb() -> None:
    """`make` alone lists each verb with what it does."""
    targets = set(re.findall(r"^\.PHONY: (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE))
    verbs = targets - {"help", "chromium", "kubectl"}

    answer = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)

    assert set(re.findall(r"^  make (\S+) +\S", answer.stdout, re.MULTILINE)) == verbs
    assert {"up", "down", "test"} <= verbs


def test_too_old_python_is_explained(tmp_path: Path) -> None:
    """Where no Python is new enough, `make up` says which it needs and how to name one."""
    for name in ("python3", "python3.11", "python3.12", "python3.13", "python3.14"):
        old = tmp_path / name
        old.write_text("#!/bin/sh\nexit 1\n")
        old.chmod(0o755)
    make = shutil.which("make")
    assert make is not None
    environment = {key: value for key, value in os.environ.items() if key != "PYTHON"}

    answer = subprocess.run(
        [make, "up"],
        cwd=ROOT,
        env={**environment, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode != 0
    assert "MyThoughts needs Python 3.11 or newer" in answer.stderr
    assert "make PYTHON=" in answer.stderr
