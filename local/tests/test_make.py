"""The Makefile's verbs, run as a newcomer would: in a clone with nothing installed."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from testkit.trees import READY, Tree, temporary_tree
from testkit.waiting import wait_until
from tooling.project import ROOT

INSTALLING = "Installing packages"


@pytest.fixture(scope="session")
def clone() -> Iterator[Tree]:
    """A tree in which `make up` has run for the first time and has been stopped."""
    for tree in temporary_tree("a clone 克隆"):
        first = tree.run("make", "up", "BACKGROUND=1")
        assert first.wait() == 0, first.output
        tree.run("make", "down").wait()
        yield tree


def test_first_make_up_installs_and_starts(clone: Tree) -> None:
    """In a fresh clone `make up` creates the environment, installs packages, starts the system."""
    output = clone.runs[0].output

    assert output.index(INSTALLING) < output.index("Starting PostgreSQL") < output.index(READY)


def test_second_make_up_installs_nothing(clone: Tree) -> None:
    """The second `make up` installs nothing, and `make down` stops the system."""
    second = clone.run("make", "up", "BACKGROUND=1")
    second_status = second.wait()

    down = clone.run("make", "down")

    assert second_status == 0
    assert READY in second.output
    assert INSTALLING not in second.output
    assert down.wait() == 0
    assert "Stopping MyThoughts" in down.output


def test_environment_without_its_python_is_created_again(clone: Tree) -> None:
    """If the Python that made the environment is gone, the next verb replaces it; others wait."""
    python = clone.path / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3")

    run = clone.run("make", "backup")
    run.wait_for("Creating the virtual environment")
    other = clone.run(sys.executable, "-m", "tooling.environment", "run")

    assert (run.wait(), other.wait()) == (0, 0), run.output + other.output
    assert INSTALLING in run.output
    assert "Waiting for another process" in other.output
    assert INSTALLING not in other.output


def test_make_dev_shows_a_change(clone: Tree) -> None:
    """With `make dev`, a changed template appears on the page by itself."""
    run = clone.run("make", "dev")
    run.wait_for(READY)
    template = clone.path / "services/frontend/src/frontend/templates/login.html"

    template.write_text(template.read_text().replace("</form>", "</form><!-- new -->"))
    run.wait_for("login.html changed: live after")

    # The old process finishes what it has accepted.
    wait_until(lambda: "<!-- new -->" in clone.http("frontend").get("/login/").text)
    clone.run("make", "down").wait()


def test_make_dev_survives_broken_code(clone: Tree) -> None:
    """With `make dev`, broken code is reported while the old process serves, until it is fixed."""
    run = clone.run("make", "dev")
    run.wait_for(READY)
    code = clone.path / "services/users_backend/src/users_backend/routes.py"
    working = code.read_text()

    code.write_text(working + "\ndef broken(:\n")
    run.wait_for(
        "routes.py changed: the new process ended with exit status 1; the old process still serves"
    )
    meanwhile = clone.log_in("bruce", "bruce")
    code.write_text(working)

    run.wait_for("routes.py changed: live after")
    assert meanwhile
    assert clone.log_in("bruce", "bruce")
    clone.run("make", "down").wait()


def test_make_dev_stops_while_code_is_starting(clone: Tree) -> None:
    """`make down` ends `make dev` at once, also if it waits for code that does not get ready."""
    run = clone.run("make", "dev")
    run.wait_for(READY)
    code = clone.path / "services/users_backend/src/users_backend/routes.py"
    working = code.read_text()
    code.write_text(f'import time\n\nprint("beginning", flush=True)\ntime.sleep(600)\n{working}')
    run.wait_for("beginning")

    status = clone.run("make", "down").wait()
    code.write_text(working)

    assert status == 0
    assert run.wait() == 0
    assert "was not ready after" not in (clone.local / "logs" / "users.log").read_text()
    assert "routes.py changed" not in run.output


def test_make_dev_applies_a_migration(clone: Tree) -> None:
    """With `make dev`, a new migration is applied before the code serves."""
    run = clone.run("make", "dev")
    run.wait_for(READY)
    versions = clone.path / "services/users_backend/src/users_backend/migrations/versions"
    newest = max(path.name for path in versions.glob("[0-9]*.py"))[:4]
    revision = versions / "9999_addition.py"

    revision.write_text(
        f'revision, down_revision = "9999", "{newest}"\n\n\n'
        'def upgrade():\n    raise ValueError("applied")\n'
    )
    run.wait_for("9999_addition.py changed: not restarted: users (python")

    assert "applied" in run.output
    assert clone.log_in("bruce", "bruce")
    revision.unlink()
    clone.run("make", "down").wait()


@pytest.mark.parametrize("setting", ["SERVICE", "DEBUGGER"])
def test_make_dev_of_one_service_needs_a_cluster(tree: Tree, setting: str) -> None:
    """What `make dev` can do only among the services of a cluster is refused without one."""
    run = tree.local_command("dev", **{setting: "frontend"})

    assert run.wait() == 1
    assert "make dev SERVICE=frontend CLUSTER=1" in run.output


@pytest.mark.parametrize(
    ("arguments", "environment", "module"),
    [([], {}, "local"), (["CLUSTER=1"], {}, "deploy"), ([], {"CLUSTER": "production"}, "local")],
)
def test_cluster_is_chosen_on_the_command_line(
    arguments: list[str], environment: dict[str, str], module: str
) -> None:
    """`make dev` heeds no variable CLUSTER of the environment, where others use this name."""
    command = ["make", "--dry-run", "dev", *arguments]
    variables = {"PATH": os.environ["PATH"], **environment}

    planned = subprocess.run(
        command, cwd=ROOT, env=variables, capture_output=True, text=True, check=True
    ).stdout

    assert f"-m {module} dev" in planned


def help_of(*arguments: str) -> str:
    """The output of a verb that lists verbs."""
    # A make that is run by another one prints where it is.
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_help_names_every_verb() -> None:
    """`make` describes the first verbs and names all others; `make help-all` describes all."""
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    verbs = targets - {"help", "help-all", "chromium", "clients", "kubectl"}

    first, every = help_of(), help_of("help-all")

    described = r"^  make (\S+) +\S"
    assert re.findall(described, first, re.MULTILINE) == ["up", "dev", "down", "test", "reset"]
    assert verbs <= set(first.split())
    assert set(re.findall(described, every, re.MULTILINE)) == verbs


def test_help_fits_a_terminal() -> None:
    """What `make` prints fits a terminal of 80 columns and 24 lines."""
    lines = help_of().splitlines()

    assert max(map(len, lines + help_of("help-all").splitlines())) <= 80
    assert len(lines) < 24


def test_too_old_python_is_explained(tmp_path: Path) -> None:
    """Without a new enough Python, `make up` says which it needs and how to select one."""
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


@pytest.mark.parametrize("program", ["true", "echo", "cat", "/nowhere/python3", "it's none"])
def test_what_is_no_python_is_refused(program: str) -> None:
    """A program named by PYTHON that is not a new enough Python is rejected by name."""
    answer = subprocess.run(
        ["make", "up", f"PYTHON={program}"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert answer.returncode != 0
    assert f"MyThoughts needs Python 3.11 or newer, and {program} is not" in answer.stderr


@pytest.mark.parametrize("found", ["", "PYTHON"])
def test_older_python_is_refused(tmp_path: Path, found: str) -> None:
    """So is an older Python, on PATH or in the variable PYTHON."""
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\necho False\n")
    old.chmod(0o755)
    named = {found: str(old)} if found else {"PATH": f"{tmp_path}"}

    answer = subprocess.run(
        [str(shutil.which("make")), "up"],
        cwd=ROOT,
        env=os.environ | named,
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode != 0
    assert "MyThoughts needs Python 3.11 or newer" in answer.stderr


@pytest.mark.parametrize("verb", ["down", "logs", "reset"])
def test_verb_without_a_run_installs_nothing(tree: Tree, verb: str) -> None:
    """If nothing has ever run, a verb says so and changes nothing."""
    before = sorted(path for path in tree.path.glob("*"))

    run = tree.run("make", verb)

    assert run.wait() == 0
    assert re.search(r"not running|nothing to delete", run.output)
    assert sorted(path for path in tree.path.glob("*")) == before
    assert not (tree.path / ".venv").exists()


@pytest.fixture
def inherited(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """A function that returns the environment of a verb, given that of `make` and its arguments."""
    (tmp_path / "Makefile").write_text("include Makefile\nseen:\n\t@env\n")

    def run_make(*arguments: str, **environment: str) -> dict[str, str]:
        answer = subprocess.run(
            ["make", f"--makefile={tmp_path}/Makefile", "seen", *arguments],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], **environment},
            capture_output=True,
            text=True,
            check=True,
        )
        return dict(line.split("=", 1) for line in answer.stdout.splitlines())

    return run_make


FOREIGN = {
    *("PYTHONPATH", "PYTHONHOME", "PYTHONSAFEPATH", "PYTHONSTARTUP", "PYTHONWARNINGS"),
    *("VIRTUAL_ENV", "UV_TARGET", "UV_SYSTEM_PYTHON", "PGHOST", "PGPASSWORD", "PGOPTIONS"),
    *("DJANGO_SETTINGS_MODULE", "PYTEST_ADDOPTS", "LD_LIBRARY_PATH", "DYLD_INSERT_LIBRARIES"),
    *("LC_ALL", "LANG", "TZ", "CDPATH", "GREP_OPTIONS", "BASH_ENV", "MFLAGS", "GIT_DIR"),
    *("DATABASE_URL", "PORT", "HOST", "REVISION", "PYTHON", "ANYTHING_ELSE", "ARGS"),
}


def test_verbs_inherit_what_is_listed(inherited: Callable[..., dict[str, str]]) -> None:
    """Variables set by other programs and projects are not passed on."""
    seen = inherited(MAKEFLAGS="-k", **dict.fromkeys(FOREIGN, "x"))

    assert seen.keys().isdisjoint({*FOREIGN, "MAKEFLAGS"})


def test_command_line_of_make_reaches_verbs(inherited: Callable[..., dict[str, str]]) -> None:
    """Variables given to `make` itself are passed on."""
    seen = inherited("DATABASE_URL=postgresql://x", "N=5", DATABASE_URL="postgresql://y")

    assert (seen["DATABASE_URL"], seen["N"]) == ("postgresql://x", "5")


@pytest.mark.parametrize(
    "name", ["HOME", "TMPDIR", "https_proxy", "PIP_INDEX_URL", "DOCKER_HOST", "KUBECONFIG", "CI"]
)
def test_needs_of_the_tools_reach_them(inherited: Callable[..., dict[str, str]], name: str) -> None:
    """Variables that tools need to find folders, servers and certificates are passed on."""
    assert inherited(**{name: "/x"})[name] == "/x"


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ({}, "localhost,127.0.0.1,::1,"),
        ({"no_proxy": "a.example"}, "localhost,127.0.0.1,::1,a.example"),
        ({"NO_PROXY": "a.example"}, "localhost,127.0.0.1,::1,a.example"),
        ({"no_proxy": "*"}, "*"),
    ],
)
def test_no_proxy_is_asked_for_this_machine(
    inherited: Callable[..., dict[str, str]], given: dict[str, str], seen: str
) -> None:
    """A proxy for the internet is not used for the services."""
    assert inherited(http_proxy="http://proxy.example", **given)["no_proxy"] == seen
