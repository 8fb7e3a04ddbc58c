"""The command line: errors for the operator, and the commands."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from services.thoughts_backend.tests.conftest import MakeBackend
from testkit.service_process import ServiceProcess
from testkit.thoughts_sql import Sql
from testkit.waiting import wait_until
from tooling.project import ROOT

SERVICE_FOLDER = ROOT / "services/thoughts_backend"


def command(*arguments: str, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run `python -m thoughts_backend` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "thoughts_backend", *arguments],
        env=settings,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def ended(backend: ServiceProcess) -> tuple[int, list[str]]:
    """Exit status and output of a backend that cannot start."""
    return backend.run_to_end(), backend.output


def test_every_missing_setting_is_named() -> None:
    """Without any setting, startup names all required ones and exits with status 2."""
    done = command(settings={})

    assert done.returncode == 2
    assert sorted(done.stderr.splitlines()) == [
        "thoughts-backend: DATABASE_URL: is required and not set",
        "thoughts-backend: TOKEN_PUBLIC_KEYS_PATH: is required and not set",
        "thoughts-backend: USERS_BACKEND_URL: is required and not set",
    ]


def test_every_bad_setting_is_named(make_backend: MakeBackend) -> None:
    """Missing and invalid settings of all kinds are named in one message."""
    status, output = ended(
        make_backend(PORT="eighty", DRAIN_SECONDS="-1", LOG_LEVEL="loud", DATABASE_POOL_SIZE="0")
    )

    assert status == 2
    assert sorted(line.split(": ")[1] for line in output) == [
        "DATABASE_POOL_SIZE",
        "DRAIN_SECONDS",
        "LOG_LEVEL",
        "PORT",
    ]


def test_setting_can_come_from_a_file(
    backend_settings: dict[str, str], make_backend: MakeBackend, tmp_path: Path
) -> None:
    """DATABASE_URL_FILE names a file with the address, as for mounted container secrets."""
    secret = tmp_path / "database_url"
    secret.write_text(backend_settings["DATABASE_URL"] + "\n")
    settings = {**backend_settings, "DATABASE_URL_FILE": str(secret)}
    del settings["DATABASE_URL"]
    backend = ServiceProcess("thoughts_backend", settings, folder=tmp_path)

    backend.start()

    try:
        wait_until(lambda: backend.http.get("/readyz").status == 200)
    finally:
        backend.stop()


def test_missing_key_file_is_reported_in_one_line(
    make_backend: MakeBackend, tmp_path: Path
) -> None:
    """Without its public keys the backend does not start, and names the missing file."""
    path = tmp_path / "nowhere.json"

    outcome = ended(make_backend(TOKEN_PUBLIC_KEYS_PATH=str(path)))

    assert outcome == (
        2,
        [f"thoughts-backend: cannot read the key file {path}: No such file or directory"],
    )


@pytest.mark.parametrize("content", ["", "{}", '{"keys": []}'], ids=["empty", "other", "none"])
def test_damaged_key_file_is_reported_in_one_line(
    make_backend: MakeBackend, tmp_path: Path, content: str
) -> None:
    """A key file without keys is named, too."""
    path = tmp_path / "public.json"
    path.write_text(content)

    status, output = ended(make_backend(TOKEN_PUBLIC_KEYS_PATH=str(path)))

    assert status == 2
    assert [line.startswith(f"thoughts-backend: {path} ") for line in output] == [True]


@pytest.mark.parametrize(
    ("content", "reported"),
    [(None, "cannot read {path}: No such file or directory"), ("\n", "must not be empty")],
    ids=["missing", "empty"],
)
def test_address_file_without_an_address_is_reported_in_one_line(
    backend_settings: dict[str, str], tmp_path: Path, content: str | None, reported: str
) -> None:
    """Without the file for the database's address the backend does not start."""
    path = tmp_path / "url"
    if content is not None:
        path.write_text(content)
    settings = {**backend_settings, "DATABASE_URL_FILE": str(path)}
    del settings["DATABASE_URL"]

    outcome = ended(ServiceProcess("thoughts_backend", settings, folder=tmp_path))

    assert outcome == (2, [f"thoughts-backend: DATABASE_URL: {reported.format(path=path)}"])


@pytest.mark.parametrize("name", ["DATABASE_URL", "DATABASE_REPLICA_URL"])
@pytest.mark.parametrize("url", ["nonsense", "mysql://a:b@localhost/c", "localhost:5432"])
def test_address_of_no_database_is_reported_at_the_start(
    make_backend: MakeBackend, name: str, url: str
) -> None:
    """An invalid address ends the start with status 2, without showing it."""
    outcome = ended(make_backend(**{name: url}))

    assert outcome == (2, [f"thoughts-backend: {name}: must start with postgresql://"])


def test_busy_port_is_reported(backend: ServiceProcess, make_backend: MakeBackend) -> None:
    """A port that is taken ends the start, and the log says why."""
    second = make_backend(PORT=str(backend.http.port))

    status = second.run_to_end()

    assert status != 0
    assert "address already in use" in "\n".join(second.output)
    assert "Traceback" not in "\n".join(second.output)


def test_migrate_without_a_database_is_reported_in_one_line(
    backend_settings: dict[str, str],
) -> None:
    """`migrate` with an unavailable database says so and exits with status 2."""
    settings = backend_settings | {"DATABASE_URL": "postgresql://a:hidden@127.0.0.1:1/a"}

    done = command("migrate", settings=settings)

    assert done.returncode == 2
    assert done.stderr.startswith("thoughts-backend: the database was not migrated: ")
    assert "Traceback" not in done.stderr
    assert "hidden" not in done.stderr


def test_unknown_command_is_explained() -> None:
    """An unknown command gets the list of commands."""
    done = command("fly", settings={})

    assert done.returncode == 2
    assert "load-demo" in done.stderr


def test_openapi_prints_what_is_committed() -> None:
    """`openapi` needs no settings and prints exactly the committed document."""
    done = command("openapi", settings={})

    assert done.stdout == (SERVICE_FOLDER / "openapi.json").read_text()


@pytest.fixture
def owner_settings(backend_settings: dict[str, str], database_url: str) -> dict[str, str]:
    """The environment of `load-demo`, which runs as the owner of the database."""
    return {**backend_settings, "MIGRATIONS_DATABASE_URL": database_url}


@pytest.fixture
def demo_file(tmp_path: Path) -> Path:
    """A file with two demonstration thoughts."""
    path = tmp_path / "demo.json"
    path.write_text(
        json.dumps(
            [
                {"user_id": 1, "username": "bruce", "hours_ago": 1.5, "text": "later"},
                {"user_id": 2, "username": "李", "hours_ago": 30, "text": "earlier"},
            ]
        )
    )
    return path


def test_demonstration_thoughts_are_loaded_in_order(
    owner_settings: dict[str, str], sql: Sql, demo_file: Path
) -> None:
    """`load-demo` stores the thoughts of a file, the oldest with the lowest id."""
    done = command("load-demo", "--file", str(demo_file), settings=owner_settings)

    rows = sql.run("SELECT username, text FROM thoughts ORDER BY id")
    assert done.returncode == 0
    assert [tuple(row) for row in rows] == [("李", "earlier"), ("bruce", "later")]


def test_demonstration_of_this_project_can_be_loaded(
    owner_settings: dict[str, str], sql: Sql
) -> None:
    """The thoughts in the service's folder are valid."""
    path = SERVICE_FOLDER / "demo" / "thoughts.json"

    done = command("load-demo", "--file", str(path), settings=owner_settings)

    assert done.returncode == 0
    assert sql.value("SELECT count(*) FROM thoughts") == len(json.loads(path.read_bytes()))


def test_demonstration_is_not_loaded_twice(
    owner_settings: dict[str, str], sql: Sql, demo_file: Path
) -> None:
    """`load-demo` does nothing if there are thoughts already."""
    sql.add_thoughts("mine")

    done = command("load-demo", "--file", str(demo_file), settings=owner_settings)

    assert done.returncode == 0
    assert sql.value("SELECT count(*) FROM thoughts") == 1


def test_deleted_demonstration_does_not_come_back(
    owner_settings: dict[str, str], sql: Sql, demo_file: Path
) -> None:
    """`load-demo`, which Compose runs at each start, leaves a table empty that had thoughts."""
    arguments = ("load-demo", "--file", str(demo_file))
    command(*arguments, settings=owner_settings)
    sql.run("DELETE FROM thoughts")

    done = command(*arguments, settings=owner_settings)

    assert done.returncode == 0
    assert sql.value("SELECT count(*) FROM thoughts") == 0


def test_first_thought_after_the_demonstration_has_the_next_id(
    owner_settings: dict[str, str], sql: Sql, demo_file: Path
) -> None:
    """The ids of the demonstration are not given again."""
    command("load-demo", "--file", str(demo_file), settings=owner_settings)

    assert sql.add_thoughts("mine") == [3]


@pytest.mark.parametrize("content", ["{", "{}", '[{"user_id": "x"}]'])
def test_demonstration_file_that_does_not_fit_is_reported_in_one_line(
    owner_settings: dict[str, str], sql: Sql, tmp_path: Path, content: str
) -> None:
    """`load-demo` reports in one line what is wrong with its file, and exits with status 2."""
    path = tmp_path / "bad.json"
    path.write_text(content)

    done = command("load-demo", "--file", str(path), settings=owner_settings)

    assert done.returncode == 2
    assert [line.startswith("thoughts-backend: ") for line in done.stderr.splitlines()] == [True]
