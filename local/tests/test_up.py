"""Starting, watching and stopping the system: `make up` without the installation."""

import json
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from local.ports import fault_of
from testkit.trees import READY, SHARED_TEXT, Tree
from tooling.project import ROOT, THOUGHTS

Gone = Callable[[list[psutil.Process]], bool]


def test_first_run_has_people_and_thoughts(running: Tree) -> None:
    """A first run creates everything: demonstration users can log in and have thoughts."""
    token = running.log_in("bruce", "bruce")

    own = running.http("thoughts").get("/api/me/thoughts/", token=token).json()

    assert own


def test_first_run_has_pages(running: Tree) -> None:
    """The Frontend shows the login page at the printed address."""
    run = running.runs[0]

    page = running.http("frontend").get("/login/")

    assert f"http://localhost:{running.ports['FRONTEND_PORT']}/" in run.output
    assert 'name="password"' in page.text


def test_admin_password_is_private(running: Tree) -> None:
    """The administrator's first password is in a file that only its owner may read.

    It works once, for choosing another.
    """
    password_file = running.local / "admin-password"

    token = running.log_in(
        "admin", password_file.read_text().strip(), new_password="be water, my friend"
    )
    users = running.http("users").get("/admin/users/", token=token)

    assert password_file.stat().st_mode & 0o777 == 0o600
    assert users.status == 200


def test_services_have_roles_of_their_own(running: Tree) -> None:
    """A service does not own its database: it neither uses nor knows the owner's password."""
    secrets = json.loads((running.local / "secrets.json").read_text())

    environment = running.runs[0].child("users_backend").environ()

    assert f"//users_service:{secrets['users_service']}@" in environment["DATABASE_URL"]
    assert not [text for text in environment.values() if secrets["users"] in text]


def test_logs_carry_the_name_of_their_process(running: Tree) -> None:
    """Each line of output shows its process."""
    running.http("frontend").get("/login/?mark=7")

    running.runs[0].wait_for("frontend |")

    assert "/login/" in (running.local / "logs" / "frontend.log").read_text()


def test_second_run_at_once_is_refused(running: Tree) -> None:
    """During a run, another from the same folder says so and changes nothing."""
    second = running.local_command("up")

    assert second.wait() == 1
    assert "already running" in second.output
    assert f"(process {running.runs[0].pid})" in second.output
    assert running.log_in("bruce", "bruce")


def test_reset_leaves_a_running_system_alone(running: Tree) -> None:
    """The data of a running system is not deleted."""
    refused = running.local_command("reset", YES="1")

    assert refused.wait() == 1
    assert "already running" in refused.output
    assert (running.local / "postgres" / "PG_VERSION").exists()


def test_second_run_keeps_the_data(used_tree: Tree) -> None:
    """Thoughts shared in one run are there in the next."""
    used_tree.start()

    found = used_tree.http("thoughts").get(f"/api/thoughts/?search={SHARED_TEXT}").json()

    assert isinstance(found, list)
    assert [thought["text"] for thought in found] == [SHARED_TEXT]


@pytest.fixture
def heeded_hangup() -> Iterator[None]:
    """Processes that start now end with their terminal, even if the tests run under `nohup`."""
    inherited = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, inherited)


@pytest.mark.usefixtures("heeded_hangup")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_stopping_leaves_no_process(
    used_tree: Tree, number: signal.Signals, all_gone: Gone
) -> None:
    """Ctrl-C and a closed terminal end the run and all its processes, with status 0."""
    run = used_tree.start()
    processes = run.descendants()

    run.send(number)

    assert run.wait() == 0
    assert len(processes) >= 4
    assert all_gone(processes)


def test_killed_run_leaves_nothing_in_the_way(used_tree: Tree, all_gone: Gone) -> None:
    """After a killed run the next one starts at once, and no old process remains."""
    killed = used_tree.start()
    processes = killed.descendants()
    killed.send(signal.SIGKILL)
    killed.wait()

    used_tree.start()

    assert len(processes) >= 4
    assert all_gone(processes)


def test_run_stopped_before_it_is_ready_fails(used_tree: Tree) -> None:
    """What follows in `make up BACKGROUND=1 && …` does not run if `make down` ends the start."""
    (used_tree.local / "done" / "demonstration").unlink()
    thoughts = used_tree.path / THOUGHTS.demonstration.relative_to(ROOT)
    thoughts.unlink()
    # Reading it waits until somebody writes to it.
    os.mkfifo(thoughts)
    start = used_tree.local_command("up", BACKGROUND="1")
    start.wait_for("Loading demonstration data")
    stop = used_tree.local_command("down")

    assert (start.wait(), stop.wait()) == (130, 0)
    assert READY not in start.output


def test_interrupted_first_run_is_carried_on(tree: Tree) -> None:
    """A first run that was killed while creating and filling the databases is completed later."""
    for moment in ("Preparing databases", "Loading demonstration data"):
        killed = tree.local_command("up")
        killed.wait_for(moment)
        killed.send(signal.SIGKILL)
        killed.wait()

    tree.start()

    assert tree.log_in("bruce", "bruce")
    temporary = (tree.local / "admin-password").read_text().strip()
    assert tree.log_in("admin", temporary, new_password="be water, my friend")


def test_busy_port_is_explained(used_tree: Tree) -> None:
    """A port in use stops the start; the message names its user and what to add to the command."""
    with socket.create_server(("127.0.0.1", used_tree.ports["FRONTEND_PORT"])) as server:
        port = server.getsockname()[1]
        run = used_tree.local_command("up")
        status = run.wait()

    assert status == 1
    assert f"Port {port} is in use by" in run.output
    assert f"(process {psutil.Process().pid})" in run.output
    assert "Add to the command: FRONTEND_PORT=" in run.output


@pytest.mark.parametrize(
    ("family", "host"),
    [
        (socket.AF_INET, "127.0.0.1"),
        (socket.AF_INET, "0.0.0.0"),  # noqa: S104 (what others do)
        (socket.AF_INET6, "::1"),
        (socket.AF_INET6, "::"),
    ],
)
def test_port_that_localhost_leads_to_is_busy(family: socket.AddressFamily, host: str) -> None:
    """A port counts as in use if a browser could reach another server there as `localhost`."""
    with socket.create_server((host, 0), family=family) as server:
        fault = fault_of(server.getsockname()[1])

    assert fault is not None
    assert f"(process {psutil.Process().pid})" in fault


def test_port_must_be_a_number(used_tree: Tree) -> None:
    """An invalid port is rejected, with the setting's name and the valid range."""
    run = used_tree.local_command("up", USERS_PORT="eighty")

    assert run.wait() == 1
    assert "USERS_PORT=eighty is not a port" in run.output


def test_dead_service_ends_the_run(used_tree: Tree, all_gone: Gone) -> None:
    """If a service dies, the run reports its end and its log, and stops the others."""
    run = used_tree.start()
    processes = run.descendants()

    run.child("users_backend").kill()

    assert run.wait() == 1
    assert "users was ended by signal 9" in run.output
    assert str(used_tree.local / "logs" / "users.log") in run.output
    assert all_gone(processes)


def test_dead_postgresql_ends_the_run(used_tree: Tree, all_gone: Gone) -> None:
    """If PostgreSQL dies, the run says so, shows its last lines and stops the services."""
    run = used_tree.start()
    processes = run.descendants()

    run.child("pginstall/bin/postgres").kill()

    assert run.wait() == 1
    assert "postgres was ended by signal 9" in run.output
    assert "database system is ready to accept connections" in run.output
    assert all_gone(processes)


def _lose_the_database(local: Path) -> None:
    (local / "postgres" / "PG_VERSION").unlink()


def _lose_a_catalogue(local: Path) -> None:
    (local / "postgres" / "global" / "pg_control").unlink()


def _lose_the_secrets(local: Path) -> None:
    (local / "secrets.json").unlink()


def _garble_the_secrets(local: Path) -> None:
    (local / "secrets.json").write_text('{"postgres": ')


def _change_the_password(local: Path) -> None:
    secrets = json.loads((local / "secrets.json").read_text())
    (local / "secrets.json").write_text(json.dumps({**secrets, "postgres": "another"}))


def _garble_the_keys(local: Path) -> None:
    (local / "keys" / "private.json").write_text("{}")


@pytest.mark.parametrize(
    "damage",
    [
        _lose_the_database,
        _lose_a_catalogue,
        _lose_the_secrets,
        _garble_the_secrets,
        _change_the_password,
        _garble_the_keys,
    ],
)
def test_damage_is_explained(used_tree: Tree, damage: Callable[[Path], None]) -> None:
    """A damaged `.local` prevents the start, with a message that names `make reset`."""
    damage(used_tree.local)

    run = used_tree.local_command("up")

    assert run.wait() == 1
    assert "make reset" in run.output
    assert "Traceback" not in run.output
