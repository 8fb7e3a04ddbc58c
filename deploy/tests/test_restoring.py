"""Backing up and restoring in Compose and in a cluster, on a real PostgreSQL server.

The commands are those of docs/operations/back-up.md, where `docker compose exec` runs its program
here, and the script of the cluster, with folders of the test in place of its volumes.
"""

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local import postgres_binaries
from local.ports import free_port
from local.postgres import PostgresServer, new_password, remove_data
from testkit.markdown import section
from testkit.own_server import temporary_folder
from testkit.roles import create_with_roles, migrate_with_roles
from testkit.sql import SqlConnection
from thoughts_backend.app import MIGRATIONS as THOUGHTS_MIGRATIONS
from tooling.project import ROOT
from users_backend.app import MIGRATIONS as USERS_MIGRATIONS

MIGRATIONS = {"thoughts": THOUGHTS_MIGRATIONS, "users": USERS_MIGRATIONS}
PAGE = (ROOT / "docs" / "operations" / "back-up.md").read_text()
BACK_UP, RESTORE = re.findall(r"```sh\n(.*?)```", section(PAGE, "## Compose"), re.DOTALL)
SCRIPTS = ROOT / "deploy" / "kubernetes" / "components" / "backup"
FOLDERS = {"/scripts/": f"{SCRIPTS}/", "/backups/": "./backups/", "/etc/mythoughts/": "./secrets/"}
DOCKER = """#!/bin/sh
[ "$2" = exec ] || exit 0
shift 4
exec "$@"
"""
WRITE = {
    "thoughts": "INSERT INTO thoughts (user_id, username, text) VALUES (1, 'bruce', $1::text)",
    "users": "INSERT INTO users (username, password_hash) VALUES ($1::text, 'hash')",
}
READ = {"thoughts": "SELECT text FROM thoughts", "users": "SELECT username FROM users"}

Restore = Callable[[], subprocess.CompletedProcess[str]]


class Place:
    """A folder with the dumps, and the server whose databases are dumped and restored."""

    def __init__(self, folder: Path, server: PostgresServer) -> None:
        self.folder = folder
        self.server = server
        self.urls = {name: create_with_roles(server, name) for name in MIGRATIONS}
        self.dumps = folder / "backups" / "2026-11-26T03-17-00Z"
        self.dumps.mkdir(parents=True)
        self._make_docker()
        for name, url in self.urls.items():
            file = folder / "secrets" / f"{name}-database-owner" / "url"
            file.parent.mkdir(parents=True)
            file.write_text(url)

    def migrate(self, *, newest: str | None = None) -> None:
        """Migrate both databases, to a revision or to the newest."""
        for name, url in self.urls.items():
            versions = self.folder / f"{name}-{newest}" / "versions"
            shutil.copytree(MIGRATIONS[name], versions.parent)
            for file in versions.glob("[0-9]*.py"):
                if newest is not None and file.name[:4] > newest:
                    file.unlink()
            migrate_with_roles(url, versions.parent)

    def write(self, text: str) -> None:
        """Add a row to each database."""
        for name in self.urls:
            self._run(name, WRITE[name], text)

    def contents(self) -> dict[str, list[str]]:
        """The texts in each database."""
        return {name: [row[0] for row in self._run(name, READ[name])] for name in self.urls}

    def back_up(self, *, port: int = 0) -> subprocess.CompletedProcess[str]:
        """Back up as in Compose; the script of the cluster finds the same dumps."""
        return self._shell(BACK_UP, folder=self.dumps, port=port)

    def restore_in_compose(self) -> subprocess.CompletedProcess[str]:
        """Restore with the commands of the page."""
        return self._shell(RESTORE, folder=self.dumps)

    def restore_in_cluster(self) -> subprocess.CompletedProcess[str]:
        """Restore with the script."""
        script = (SCRIPTS / "restore.sh").read_text()
        for path, replacement in FOLDERS.items():
            script = script.replace(path, replacement)
        return self._shell(script.replace(str(SCRIPTS), f"'{SCRIPTS}'"), folder=self.folder)

    def _run(self, name: str, sql: str, *arguments: object) -> list[tuple[str]]:
        with asyncio.Runner() as runner, SqlConnection(runner, self.urls[name]) as connection:
            return connection.run(sql, *arguments)

    def _make_docker(self) -> None:
        program = self.folder / "bin" / "docker"
        program.parent.mkdir()
        program.write_text(DOCKER)
        program.chmod(0o755)
        password_file = self.folder / "passwords"
        password_file.write_text("".join(map(_password_line, self.urls.values())))
        password_file.chmod(0o600)

    def _shell(
        self, script: str, *, folder: Path, port: int = 0
    ) -> subprocess.CompletedProcess[str]:
        programs = (self.folder / "bin", postgres_binaries.program("psql").parent)
        return subprocess.run(
            ["bash", "-c", script],
            cwd=folder,
            env={
                "PATH": ":".join([*map(str, programs), os.environ["PATH"]]),
                "PGHOST": "127.0.0.1",
                "PGPORT": str(port or self.server.port),
                "PGPASSFILE": str(self.folder / "passwords"),
                "BACKUP": self.dumps.name,
            },
            capture_output=True,
            text=True,
            check=False,
        )


def _password_line(url: str) -> str:
    user, password = url.removeprefix("postgresql://").partition("@")[0].split(":")
    return f"*:*:*:{user}:{password}\n"


@pytest.fixture
def place() -> Iterator[Place]:
    """A place with empty databases."""
    with temporary_folder() as folder:
        server = PostgresServer(folder / "postgres", password=new_password(), durable=False)
        server.start()
        try:
            yield Place(folder, server)
        finally:
            server.stop()
            remove_data(server.data_dir)


@pytest.fixture(params=["restore_in_compose", "restore_in_cluster"])
def restore(place: Place, request: pytest.FixtureRequest) -> Restore:
    """One of the two ways to restore."""
    found: Restore = getattr(place, request.param)
    return found


def test_backup_of_an_older_version_is_restored(place: Place, restore: Restore) -> None:
    """Nothing of the newer schema is left, so that it can be created again."""
    place.migrate(newest="0001")
    place.write("before")
    place.back_up()
    place.migrate()
    place.write("after")

    done = restore()
    restored = place.contents()
    place.migrate(newest="0002")

    assert "error" not in done.stderr.lower()
    assert done.returncode == 0, done.stderr
    assert restored == {"thoughts": ["before"], "users": ["before"]}
    assert place.contents() == restored


def with_damaged_rows(dump: bytes) -> bytes:
    """The dump with wrong bytes in the rows of its last table, which zlib has compressed."""
    rows, wrong = dump.rindex(b"x\x9c") + 2, b"\xff" * 4
    return dump[:rows] + wrong + dump[rows + len(wrong) :]


def test_failed_restore_changes_nothing(place: Place, restore: Restore) -> None:
    """Rows that cannot be read, after others that could, undo the whole restore."""
    place.migrate()
    place.write("before")
    place.back_up()
    place.write("after")
    for dump in place.dumps.iterdir():
        dump.write_bytes(with_damaged_rows(dump.read_bytes()))

    done = restore()

    assert "pg_restore: error" in done.stderr
    assert place.contents() == {name: ["before", "after"] for name in MIGRATIONS}


def test_failed_backup_in_compose_keeps_the_one_before(place: Place) -> None:
    """If a database cannot be reached, the last dump stays as it is."""
    place.migrate()
    place.back_up()
    before = [(place.dumps / f"{name}.dump").read_bytes() for name in MIGRATIONS]

    failed = place.back_up(port=free_port())

    assert "pg_dump: error" in failed.stderr
    assert [(place.dumps / f"{name}.dump").read_bytes() for name in MIGRATIONS] == before
    assert all(before)
