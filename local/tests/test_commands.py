"""The other commands: down, logs, reset, and a run in the background."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress

import psutil
import pytest

from local.folder import Folder
from testkit.trees import READY, Tree

Gone = Callable[[list[psutil.Process]], bool]


def test_background_run_is_stopped_by_down(used_tree: Tree, all_gone: Gone) -> None:
    """With BACKGROUND=1 the command returns when the system is ready, and `down` stops it."""
    start = used_tree.local_command("up", BACKGROUND="1")
    start_status = start.wait()
    runner = psutil.Process(int((used_tree.local / "lock").read_text().split()[0]))
    processes = [runner, *runner.children(recursive=True)]

    stop = used_tree.local_command("down")

    assert (start_status, stop.wait()) == (0, 0)
    assert READY in start.output
    assert len(processes) >= 5
    assert all_gone(processes)


def test_background_run_that_fails_says_so(used_tree: Tree) -> None:
    """With BACKGROUND=1 a failed start shows its message and exits with status 1."""
    (used_tree.local / "secrets.json").unlink()

    start = used_tree.local_command("up", BACKGROUND="1")

    assert start.wait() == 1
    assert "make reset" in start.output


def test_down_without_a_run(tree: Tree) -> None:
    """Stopping a system that is not running is no error."""
    stop = tree.local_command("down")

    assert stop.wait() == 0
    assert "not running" in stop.output


# The process is that of root, or that of the first process of the machine.
STOP_AS_ANOTHER_USER = """
import os
from local.commands import main
from tooling.program import run_program
if os.getuid() == 0:
    os.setuid(65_534)
run_program(lambda: main("down", {}))
"""


def test_down_of_another_users_run(tree: Tree) -> None:
    """A system that another user has started is left alone, and the message says what to do."""
    owned_by_another = os.getpid() if os.getuid() == 0 else 1
    with Folder(tree.local).held():
        (tree.local / "lock").write_text(str(owned_by_another))

        stop = tree.run(sys.executable, "-c", STOP_AS_ANOTHER_USER)

        assert stop.wait() == 1
    assert stop.output.strip() == (
        f"Process {owned_by_another} belongs to another user: stop it as that user."
    )


def test_down_of_a_run_that_has_just_ended(tree: Tree) -> None:
    """It is no error if the process has ended before it is asked to stop."""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    with Folder(tree.local).held():
        (tree.local / "lock").write_text(str(ended.pid))
        stop = tree.local_command("down")
        stop.wait_for("Stopping MyThoughts")

    assert stop.wait() == 0


def test_interrupted_run_leaves_no_number(tree: Tree) -> None:
    """After a run that was stopped, the lock names no process that `down` could stop instead."""
    with suppress(KeyboardInterrupt), Folder(tree.local).held():
        raise KeyboardInterrupt

    assert (tree.local / "lock").read_text() == ""


def _write_log(tree: Tree, name: str, text: str) -> None:
    logs = tree.local / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    (logs / f"{name}.log").write_text(text)


def test_logs_of_a_run_that_is_over(tree: Tree) -> None:
    """The last lines of each log are shown, with the process name."""
    _write_log(tree, "users", "early\n" * 30 + "late\n")
    _write_log(tree, "postgres", "shut down\n")

    shown = tree.local_command("logs")

    assert shown.wait() == 0
    assert shown.output.count("early") < 30
    assert "users    | late\npostgres | shut down\n" in shown.output


def test_logs_of_one_service(tree: Tree) -> None:
    """SERVICE selects whose log is shown."""
    _write_log(tree, "users", "mine\n")
    _write_log(tree, "postgres", "another's\n")

    shown = tree.local_command("logs", SERVICE="users")

    assert shown.wait() == 0
    assert shown.output == "users    | mine\n"


def test_logs_go_on_while_the_system_runs(tree: Tree) -> None:
    """New lines are shown as they are written, until the system stops."""
    with Folder(tree.local).held():
        _write_log(tree, "users", "old\n")
        shown = tree.local_command("logs", SERVICE="users")
        shown.wait_for("users    | old")
        with (tree.local / "logs" / "users.log").open("a") as log:
            log.write("new\n")
        shown.wait_for("users    | new")

    assert shown.wait() == 0


def _make_data(tree: Tree) -> None:
    data_dir = tree.local / "postgres"
    data_dir.mkdir(parents=True)
    (data_dir / "PG_VERSION").write_text("18\n")


def test_reset_deletes_only_when_told(tree: Tree) -> None:
    """Without a terminal nothing is deleted, and the message says how to do it."""
    _make_data(tree)
    refused = tree.local_command("reset")

    assert refused.wait() == 1
    assert "add YES=1 to the command" in refused.output
    assert (tree.local / "postgres" / "PG_VERSION").exists()


def test_reset_with_yes_deletes(tree: Tree) -> None:
    """YES=1 deletes without confirmation."""
    _make_data(tree)
    done = tree.local_command("reset", YES="1")

    assert done.wait() == 0
    assert not tree.local.exists()


@pytest.mark.parametrize(("answer", "is_kept"), [("no", True), ("", True), ("yes", False)])
def test_reset_asks(tree: Tree, answer: str, is_kept: bool) -> None:
    """On a terminal it asks, and deletes only on `yes`."""
    _make_data(tree)
    terminal, other_end = pty.openpty()
    os.write(terminal, f"{answer}\n".encode())

    subprocess.run(
        [sys.executable, "-m", "local", "reset"],
        cwd=tree.path,
        stdin=other_end,
        capture_output=True,
        check=False,
        timeout=30,
    )
    os.close(terminal)
    os.close(other_end)

    assert tree.local.exists() is is_kept
