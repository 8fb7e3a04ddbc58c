"""Backing up and restoring the databases of one machine."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest

from local import leftovers
from local.backups import DATABASES, back_up, check, restore_from
from local.folder import Folder
from local.lending import own_server
from local.postgres import PostgresError, PostgresServer, remove_data
from local.process import Process
from mythoughts_chassis.migrations import migrate
from mythoughts_chassis.settings import Secret
from testkit.own_server import temporary_folder
from testkit.sql import SqlConnection
from testkit.trees import SHARED_TEXT, Tree
from thoughts_backend.app import MIGRATIONS as THOUGHTS_MIGRATIONS
from tooling.failures import Failure
from users_backend.app import MIGRATIONS as USERS_MIGRATIONS

MIGRATIONS = {"thoughts": THOUGHTS_MIGRATIONS, "users": USERS_MIGRATIONS}
AUDIT = """
    INSERT INTO audit (event, actor, subject, address, request_id)
    VALUES ('login', 'bruce', '', '127.0.0.1', 'r')
"""
ROWS = {
    "thoughts": [
        (
            "INSERT INTO thoughts (user_id, username, text) "
            "SELECT n, 'user ' || n, E'text\\t\\n\\\\ 想🙂 ' || n FROM generate_series(1, 300) n"
        ),
        "DELETE FROM thoughts WHERE id > 290",
        (
            "INSERT INTO idempotency_keys (user_id, key, thought_id, username, text, created_at) "
            "SELECT 1, 'key ' || id, id, username, text, created_at FROM thoughts"
        ),
        AUDIT,
    ],
    "users": [
        (
            "INSERT INTO users (username, password_hash, is_admin) "
            "SELECT 'user ' || n, 'hash', n = 1 FROM generate_series(1, 50) AS n"
        ),
        (
            "INSERT INTO sessions (user_id, expires_at, token_id, token_expires_at, user_agent) "
            "SELECT id, now(), 't' || id, now(), 'agent' FROM users"
        ),
        AUDIT,
    ],
}
TABLES = """
    SELECT relname::text FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname
"""
SEQUENCES = "SELECT sequencename::text, last_value FROM pg_sequences ORDER BY sequencename"
OWNERS = """
    SELECT relname::text, pg_get_userbyid(relowner)::text FROM pg_class
    WHERE relnamespace = 'public'::regnamespace ORDER BY relname
"""
RIGHTS = """
    SELECT relname::text, relacl::text FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY relname
"""


class Installation:
    """The server and the folder of an installation, without its services."""

    def __init__(self, folder: Folder) -> None:
        with folder.held():
            self.passwords = asdict(folder.secrets())
        self.folder = folder
        self.server = PostgresServer(
            folder.postgres, password=self.passwords["postgres"], durable=False
        )
        self.server.start()
        for name in DATABASES:
            self.server.create_role(f"{name}_service", password="any")
            self.server.create_database(name, owner=name, password=self.passwords[name])

    def run(self, database: str, *statements: str) -> list[tuple[object, ...]]:
        """Run statements as the owner; return the rows of the last."""
        url = self.server.url(database, user=database, password=self.passwords[database])
        rows: list[tuple[object, ...]] = []
        with asyncio.Runner() as runner, SqlConnection(runner, url) as sql:
            for statement in statements:
                rows = [tuple(row) for row in sql.run(statement)]
        return rows

    def migrate(self) -> None:
        """Migrate both databases."""
        for name, directory in MIGRATIONS.items():
            url = self.server.url(name, user=name, password=self.passwords[name])
            service = self.server.url(name, user=f"{name}_service", password="any")
            asyncio.run(migrate(Secret(url), directory, service_url=Secret(service)))

    def contents(self) -> dict[str, object]:
        """Every row of every table, and the state of each sequence."""
        found: dict[str, object] = {}
        for name in DATABASES:
            for (table,) in self.run(name, TABLES):
                rows = self.run(name, f"SELECT * FROM {table} ORDER BY {table}::text")  # noqa: S608
                found[f"{name}.{table}"] = rows
            found[f"{name}: sequences"] = self.run(name, SEQUENCES)
        return found

    def databases(self) -> list[str]:
        """The names of all databases."""
        rows = self.run("thoughts", "SELECT datname::text FROM pg_database ORDER BY 1")
        return [str(name) for (name,) in rows if not str(name).startswith("template")]


def test_interrupted_start_leaves_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while PostgreSQL is starting, to be backed up or restored, stops it again."""
    started: list[int] = []

    def interrupt(_: PostgresServer, process: Process) -> None:
        started.append(process.pid)
        raise KeyboardInterrupt

    monkeypatch.setattr(PostgresServer, "_wait_until_ready", interrupt)
    with temporary_folder() as parent:
        with suppress(KeyboardInterrupt), own_server(Folder(parent / ".local"), "backup"):
            pass

        assert [psutil.pid_exists(pid) for pid in started] == [False]
        remove_data(parent / ".local" / "postgres")


@pytest.fixture(scope="module")
def module_installation() -> Iterator[Installation]:
    """An installation with rows in every table that matters."""
    with temporary_folder() as path:
        installation = Installation(Folder(path / ".local"))
        yield installation
        installation.server.stop()
        remove_data(installation.folder.postgres)


@pytest.fixture
def installation(module_installation: Installation) -> Installation:
    """The same; each test finds the same rows."""
    for name in DATABASES:
        module_installation.run(name, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    module_installation.migrate()
    for name in DATABASES:
        module_installation.run(name, *ROWS[name])
    return module_installation


@pytest.fixture
def backup(installation: Installation, tmp_path: Path) -> Path:
    """A backup of it."""
    return back_up(installation.server, tmp_path / "backups")


def change_everything(installation: Installation) -> None:
    """Add, change and delete rows in both databases."""
    installation.run(
        "thoughts", "DELETE FROM thoughts WHERE id < 100", "UPDATE thoughts SET text = 'changed'"
    )
    installation.run("users", "DELETE FROM sessions", "DELETE FROM users WHERE id > 10")


def test_restored_tables_are_equal_row_by_row(installation: Installation, backup: Path) -> None:
    """Every row, and the next id of every table, is as it was when the backup was made."""
    before = installation.contents()
    change_everything(installation)
    assert installation.contents() != before

    restore_from(installation.server, installation.folder, backup)

    assert installation.contents() == before


def test_ids_are_not_given_again(installation: Installation, backup: Path) -> None:
    """A thought that is shared after restoring gets a new id, not that of a deleted one."""
    restore_from(installation.server, installation.folder, backup)

    insert = "INSERT INTO thoughts (user_id, username, text) VALUES (1, 'a', 'b') RETURNING id"
    assert installation.run("thoughts", insert) == [(301,)]


def test_roles_have_the_same_rights_after_the_next_start(
    installation: Installation, backup: Path
) -> None:
    """The owner owns everything again, and migrating grants the service what it had."""
    before = [installation.run(name, sql) for name in DATABASES for sql in (OWNERS, RIGHTS)]

    restore_from(installation.server, installation.folder, backup)
    installation.migrate()

    after = [installation.run(name, sql) for name in DATABASES for sql in (OWNERS, RIGHTS)]
    assert after == before


def test_restoring_leaves_no_other_database(installation: Installation, backup: Path) -> None:
    """Neither the replaced databases nor what an interrupted restore has left stays."""
    password = installation.passwords["users"]
    installation.server.create_database("users_restored", owner="users", password=password)

    restore_from(installation.server, installation.folder, backup)

    assert installation.databases() == ["postgres", "thoughts", "users"]


@pytest.fixture
def keys(installation: Installation) -> tuple[Path, Path]:
    """The files with the keys of the tokens."""
    paths = (installation.folder.private_keys, installation.folder.public_keys)
    for path in paths:
        path.write_text(f"{path.stem}\n")
    return paths


def test_old_databases_that_cannot_be_dropped_are_left_to_the_next_restore(
    installation: Installation, backup: Path, keys: tuple[Path, Path]
) -> None:
    """What was replaced is dropped last: if that fails, everything has been restored."""
    before = installation.contents()
    change_everything(installation)
    installation.run("users", "ALTER DATABASE users IS_TEMPLATE true")

    restore_from(installation.server, installation.folder, backup)

    assert installation.contents() == before
    assert not any(path.exists() for path in keys)
    assert installation.databases() == ["postgres", "thoughts", "users", "users_replaced"]
    installation.run("users", "ALTER DATABASE users_replaced IS_TEMPLATE false")
    restore_from(installation.server, installation.folder, backup)
    assert installation.databases() == ["postgres", "thoughts", "users"]


def test_databases_that_cannot_be_replaced_keep_their_keys(
    installation: Installation, backup: Path, keys: tuple[Path, Path]
) -> None:
    """If a database has a connection, nothing has changed: nobody has to log in again."""
    change_everything(installation)
    before = installation.contents()
    url = installation.server.url("users")

    with (
        asyncio.Runner() as runner,
        SqlConnection(runner, url),
        pytest.raises(PostgresError, match="is being accessed by other users"),
    ):
        restore_from(installation.server, installation.folder, backup)

    assert installation.contents() == before
    assert [path.read_text() for path in keys] == ["private\n", "public\n"]
    assert installation.databases() == ["postgres", "thoughts", "users"]


def test_keys_are_not_put_back_if_the_databases_may_be_replaced(
    installation: Installation,
    backup: Path,
    keys: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """If the server replaces them but its answer is lost, the old tokens are invalid."""
    before = installation.contents()
    change_everything(installation)
    rename = installation.server.rename_databases

    def rename_without_answer(*names: tuple[str, str]) -> None:
        rename(*names)
        raise PostgresError("The server closed the connection.")

    monkeypatch.setattr(installation.server, "rename_databases", rename_without_answer)
    with pytest.raises(Failure, match=r"closed the connection(?s:.*)run `make restore` again"):
        restore_from(installation.server, installation.folder, backup)

    assert installation.contents() == before
    assert not any(path.exists() for path in keys)


def truncated(content: bytes) -> bytes:
    """Half of a dump."""
    return content[: len(content) // 2]


def without_its_end(content: bytes) -> bytes:
    """A dump without its last bytes."""
    return content[:-20]


def with_a_wrong_byte(content: bytes) -> bytes:
    """A dump with one byte of its compressed rows changed."""
    place = len(content) - 400
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


@pytest.mark.parametrize("damage", [truncated, without_its_end, with_a_wrong_byte])
def test_damaged_dump_changes_nothing(
    installation: Installation, backup: Path, damage: Callable[[bytes], bytes]
) -> None:
    """If the second database cannot be restored, the first is as it was, too."""
    file = backup / "users.dump"
    file.write_bytes(damage(file.read_bytes()))
    change_everything(installation)
    before = installation.contents()

    with pytest.raises(PostgresError, match="pg_restore"):
        restore_from(installation.server, installation.folder, backup)

    assert installation.contents() == before
    assert installation.databases() == ["postgres", "thoughts", "users"]


@pytest.mark.parametrize("name", DATABASES)
def test_foreign_file_is_refused(backup: Path, name: str) -> None:
    """A file that is no dump, or of another database, is refused before anything happens."""
    other = {"thoughts": "users", "users": "thoughts"}[name]
    file = backup / f"{name}.dump"
    for content in (b"no dump", (backup / f"{other}.dump").read_bytes()):
        file.write_bytes(content)

        with pytest.raises(Failure, match=rf"{name}\.dump cannot be restored"):
            check(backup)


def test_missing_file_is_refused(backup: Path) -> None:
    """A backup without one of its files is refused."""
    (backup / "users.dump").unlink()

    with pytest.raises(Failure, match=r"users\.dump cannot be restored"):
        check(backup)


def test_backup_is_complete_or_not_there(installation: Installation, tmp_path: Path) -> None:
    """If one database cannot be dumped, no backup is left."""
    lost = installation.server
    lost.rename_databases(("users", "lost"))
    try:
        with pytest.raises(PostgresError, match='database "users" does not exist'):
            back_up(lost, tmp_path)
    finally:
        lost.rename_databases(("lost", "users"))

    assert list(tmp_path.iterdir()) == []


def test_only_the_owner_can_read_a_backup(backup: Path) -> None:
    """A backup holds the hashes of all passwords: its folder is closed to others."""
    assert backup.stat().st_mode & 0o077 == 0


def test_verbs_back_up_and_restore(used_tree: Tree) -> None:
    """`backup` works while the system runs; `restore` needs it stopped, asks, and ends tokens."""
    run = used_tree.start()
    backed_up = used_tree.local_command("backup")
    assert backed_up.wait() == 0, backed_up.output
    token = used_tree.log_in("stephen", "stephen")
    share_later(used_tree, token)
    refused = used_tree.local_command("restore", YES="1")
    assert refused.wait() == 1
    assert "already running" in refused.output
    run.send(signal.SIGINT)
    run.wait()

    asked = used_tree.local_command("restore")
    assert asked.wait() == 1
    assert "add YES=1 to the command" in asked.output
    restored = used_tree.local_command("restore", YES="1")
    assert restored.wait() == 0, restored.output
    used_tree.start()

    texts = used_tree.http("thoughts").get("/api/thoughts/?username=stephen").json()
    assert texts[0]["text"] == SHARED_TEXT
    assert "Everybody has to log in again" in restored.output
    assert used_tree.http("thoughts").get("/api/me/thoughts/", token=token).status == 401


def share_later(tree: Tree, token: str) -> None:
    """Share a thought after the backup."""
    body = {"text": "shared after the backup"}
    answer = tree.http("thoughts").post("/api/me/thoughts/", json=body, token=token)
    assert answer.status == 201


@pytest.fixture
def being_restored(tree: Tree) -> Iterator[Tree]:
    """A tree that has databases, and whose folder a restore holds."""
    folder = Folder(tree.local)
    with folder.held("restore"):
        folder.postgres.mkdir()
        yield tree


@pytest.mark.parametrize("verb", ["up", "down", "backup"])
def test_restore_is_left_alone(being_restored: Tree, verb: str) -> None:
    """While `make restore` works, no other verb uses its server, and none advises to stop it."""
    done = being_restored.local_command(verb)

    assert done.wait() == 1
    assert f"`make restore` is using this folder (process {os.getpid()})" in done.output
    assert "`make down` stops it" not in done.output


def test_server_of_a_backup_is_found_by_the_next_verb() -> None:
    """If the backup is killed and its server remains, as on macOS, the next verb ends it."""
    with temporary_folder() as parent:
        folder = Folder(parent / ".local")
        with own_server(folder, "backup") as server:
            leftovers.end(folder.logs)

            assert not server.process.is_running
        remove_data(folder.postgres)


def test_reset_keeps_backups(used_tree: Tree) -> None:
    """`reset` deletes everything but the backups, and says so."""
    kept = used_tree.local / "backups" / "2026-11-26T03-17-00Z"
    kept.mkdir(parents=True)

    done = used_tree.local_command("reset", YES="1")

    assert done.wait() == 0
    assert "are kept" in done.output
    assert [path.name for path in used_tree.local.iterdir()] == ["backups"]


def test_nothing_to_back_up_is_explained(tree: Tree) -> None:
    """Before the first `make up` there is nothing to back up."""
    done = tree.local_command("backup")

    assert done.wait() == 1
    assert "`make up` creates them" in done.output
