"""Starting, watching and stopping the system: `make up` without the installation."""

import json
import signal
import socket
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from local.folder import Folder
from local.tests.trees import Tree, pid_in

Gone = Callable[[list[psutil.Process]], bool]


def _call(url: str, *, body: dict[str, str] | None = None, token: str = "") -> object:
    headers = {"Content-Type": "application/json", "Authorization": token}
    data = json.dumps(body).encode() if body else None
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=10) as answer:
        return json.load(answer)


def _log_in(tree: Tree, name: str, password: str) -> str:
    answer = _call(f"{tree.url('users')}/api/login/", body={"username": name, "password": password})
    assert isinstance(answer, dict)
    return str(answer["Authorized"])


def test_first_run_has_people_and_thoughts(tree: Tree) -> None:
    """A first run makes everything: demonstration users can log in and find thoughts."""
    tree.start()

    token = _log_in(tree, "bruce", "bruce")
    own = _call(f"{tree.url('thoughts')}/api/me/thoughts/", token=token)
    with urllib.request.urlopen(f"{tree.url('frontend')}/login/", timeout=10) as page:
        page_status = page.status

    assert token.startswith("Bearer ")
    assert own
    assert page_status == 200


def test_admin_password_is_private(used_tree: Tree) -> None:
    """The administrator's password is in a file that only its owner may read, and it works."""
    password_file = used_tree.local / "admin-password"
    used_tree.start()

    token = _log_in(used_tree, "admin", password_file.read_text().strip())
    users = _call(f"{used_tree.url('users')}/admin/users/", token=token)

    assert password_file.stat().st_mode & 0o777 == 0o600
    assert users


def test_second_run_keeps_the_data(used_tree: Tree) -> None:
    """What was shared in one run is there in the next."""
    first = used_tree.start()
    token = _log_in(used_tree, "stephen", "stephen")
    shared = _call(
        f"{used_tree.url('thoughts')}/api/me/thoughts/", body={"text": "I stay."}, token=token
    )
    assert isinstance(shared, dict)
    first.send(signal.SIGINT)
    first.wait()

    used_tree.start()
    found = _call(f"{used_tree.url('thoughts')}/api/thoughts/{shared['id']}/")

    assert found == shared


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stopping_leaves_no_process(
    used_tree: Tree, number: signal.Signals, all_gone: Gone
) -> None:
    """Ctrl-C, SIGTERM and a closed terminal end the run with status 0 and every process of it."""
    run = used_tree.start()
    processes = run.descendants()

    run.send(number)

    assert run.wait() == 0
    assert len(processes) >= 4
    assert all_gone(processes)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next run ends them")
def test_killed_run_leaves_no_process(used_tree: Tree, all_gone: Gone) -> None:
    """The services and PostgreSQL end also when the run that started them is killed."""
    run = used_tree.start()
    processes = run.descendants()

    run.send(signal.SIGKILL)
    run.wait()

    assert len(processes) >= 4
    assert all_gone(processes)


def test_run_after_a_killed_one_starts(used_tree: Tree) -> None:
    """A run that follows a killed one at once waits for its leftovers and starts."""
    killed = used_tree.start()
    killed.send(signal.SIGKILL)
    killed.wait()

    run = used_tree.start()

    assert "MyThoughts is ready" in run.output


def test_interrupted_first_run_is_carried_on(tree: Tree) -> None:
    """A first run that was killed while it prepared the databases is completed by the next."""
    killed = tree.local_command("up")
    killed.wait_for("Preparing databases")
    killed.send(signal.SIGKILL)
    killed.wait()

    tree.start()

    assert _log_in(tree, "bruce", "bruce").startswith("Bearer ")


def test_interrupted_demonstration_is_carried_on(tree: Tree) -> None:
    """A first run that was killed while it loaded data is completed by the next."""
    killed = tree.local_command("up")
    killed.wait_for("Loading demonstration data")
    killed.send(signal.SIGKILL)
    killed.wait()

    tree.start()

    assert _log_in(tree, "bruce", "bruce").startswith("Bearer ")


def test_busy_port_is_explained(used_tree: Tree) -> None:
    """A port in use stops the start, which says whose it is, who has it and how to choose."""
    with socket.create_server(("127.0.0.1", used_tree.ports["FRONTEND_PORT"])) as server:
        port = server.getsockname()[1]
        run = used_tree.local_command("up")
        status = run.wait()

    assert status == 1
    assert f"Port {port} is in use by" in run.output
    assert f"(process {psutil.Process().pid})" in run.output
    assert f"make up FRONTEND_PORT={port + 1000}" in run.output


def test_port_must_be_a_number(used_tree: Tree) -> None:
    """A setting that is no port is refused with its name and what it may be."""
    run = used_tree.local_command("up", USERS_PORT="eighty")

    assert run.wait() == 1
    assert "USERS_PORT=eighty is not a port" in run.output


def test_second_run_at_once_is_refused(used_tree: Tree) -> None:
    """While one run goes on, another from the same folder says so and disturbs nothing."""
    first = used_tree.start()

    second = used_tree.local_command("up")
    status = second.wait()

    assert status == 1
    assert "already running" in second.output
    assert pid_in(second.output) == first.pid
    assert _log_in(used_tree, "bruce", "bruce")


@pytest.mark.parametrize("package", ["thoughts_backend", "users_backend", "frontend"])
def test_dead_service_ends_the_run(used_tree: Tree, package: str, all_gone: Gone) -> None:
    """When a service dies, the run names it, its end and its log, and stops the others."""
    run = used_tree.start()
    processes = run.descendants()

    run.child(package).kill()

    assert run.wait() == 1
    name = package.removesuffix("_backend")
    assert f"{name} was ended by signal 9" in run.output
    assert str(used_tree.local / "logs" / f"{name}.log") in run.output
    assert all_gone(processes)


def test_dead_postgresql_ends_the_run(used_tree: Tree, all_gone: Gone) -> None:
    """When PostgreSQL dies, the run says so, shows its last lines and stops the services."""
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
    """A damaged `.local` ends the start with a message that names `make reset`."""
    damage(used_tree.local)

    run = used_tree.local_command("up")

    assert run.wait() == 1
    assert "make reset" in run.output
    assert "Traceback" not in run.output


def test_logs_carry_the_name_of_their_process(used_tree: Tree) -> None:
    """Each line of output shows which process it is from."""
    run = used_tree.start()
    urllib.request.urlopen(f"{used_tree.url('frontend')}/login/", timeout=10).close()

    run.wait_for("frontend |")

    assert "/login/" in Folder(used_tree.local).logs.joinpath("frontend.log").read_text()
