"""`migrate --wait`: before the first start, and while the database refuses connections."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.ports import free_port
from local.postgres import PostgresServer, new_password, remove_data
from testkit.own_server import temporary_folder
from testkit.service_process import ServiceProcess
from testkit.waiting import WAIT_SECONDS

StartMigrating = Callable[[str | Path], ServiceProcess]
AWAY_URL = "postgresql://nobody:hidden@127.0.0.1:1/nothing"


@pytest.fixture
def start_migrating(backend_settings: dict[str, str], tmp_path: Path) -> Iterator[StartMigrating]:
    """A function that starts `migrate --wait` for an address, or for a file with one."""
    started: list[ServiceProcess] = []

    def start(url: str | Path) -> ServiceProcess:
        name = "DATABASE_URL_FILE" if isinstance(url, Path) else "DATABASE_URL"
        settings = {key: value for key, value in backend_settings.items() if key != "DATABASE_URL"}
        settings[name] = str(url)
        command = ServiceProcess(
            "thoughts_backend", settings, folder=tmp_path, arguments=["migrate", "--wait"]
        )
        started.append(command)
        command.process.start()
        return command

    yield start
    for command in started:
        if command.process.is_running:
            command.process.kill()


@pytest.fixture
def later_server() -> Iterator[PostgresServer]:
    """A server with its own port that has not been started."""
    with temporary_folder() as folder:
        server = PostgresServer(
            folder / "postgres", password=new_password(), port=free_port(), durable=False
        )
        yield server
        server.stop()
        remove_data(server.data_dir)


def status_of(command: ServiceProcess) -> int:
    """The exit status of a command that ends by itself."""
    return command.process.wait(timeout_seconds=WAIT_SECONDS)


def test_database_that_is_away_is_awaited(
    start_migrating: StartMigrating, later_server: PostgresServer
) -> None:
    """While the server is down the log says so; once the database is up, it is migrated."""
    password = new_password()
    command = start_migrating(later_server.url("late", user="late", password=password))
    said = command.wait_for_line("waiting for the database")

    later_server.start()
    later_server.create_database("late", owner="late", password=password)

    assert said["level"] == "warning"
    assert said["error"] == "ConnectionRefusedError"
    assert status_of(command) == 0
    assert command.lines("database migrated")


def test_right_password_is_awaited(
    start_migrating: StartMigrating,
    new_database: Callable[[], str],
    postgres_server: PostgresServer,
) -> None:
    """While the server rejects the password, the log says so, and the command keeps trying."""
    name = new_database().rpartition("/")[2]
    password = new_password()
    command = start_migrating(postgres_server.url(name, user=name, password=password))
    said = command.wait_for_line("waiting for the database")

    postgres_server.create_database(name, owner=name, password=password)

    assert said["reason"] == f'password authentication failed for user "{name}"'
    assert status_of(command) == 0


@pytest.mark.parametrize("wrong", [AWAY_URL, f"{AWAY_URL}?sslmode=nonsense"], ids=["away", "odd"])
def test_corrected_address_is_noticed(
    start_migrating: StartMigrating, new_database: Callable[[], str], tmp_path: Path, wrong: str
) -> None:
    """A file with a wrong address can be replaced without a restart."""
    file = tmp_path / "url"
    file.write_text(wrong)
    command = start_migrating(file)
    command.wait_for_line("waiting for the database")

    corrected = tmp_path / "corrected"
    corrected.write_text(new_database())
    corrected.replace(file)

    assert status_of(command) == 0
    assert command.lines("database migrated")


def test_sigterm_ends_the_waiting(start_migrating: StartMigrating) -> None:
    """A waiting `migrate` ends on SIGTERM, and its status shows that nothing was migrated."""
    command = start_migrating(AWAY_URL)
    command.wait_for_line("waiting for the database")

    command.process.signal(signal.SIGTERM)

    assert status_of(command) == 128 + signal.SIGTERM
    assert len(command.output) == len(command.log)


def test_password_is_not_shown_while_waiting(start_migrating: StartMigrating) -> None:
    """The log of a waiting `migrate` does not contain the password."""
    command = start_migrating(AWAY_URL)

    command.wait_for_line("waiting for the database")

    assert "hidden" not in "".join(command.output)
