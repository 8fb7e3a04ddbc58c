"""The rights of a service's role in its database."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
from structlog.testing import capture_logs

from local.postgres import PostgresServer
from mythoughts_chassis.commands import CommandError
from mythoughts_chassis.migrations import MigrationError, migrate
from mythoughts_chassis.rights import role_in
from mythoughts_chassis.settings import Secret
from testkit.roles import migrate_with_roles, service_url
from testkit.sql import SqlConnection

REVISION = """
from alembic import op
from mythoughts_chassis.audit import CREATE_TABLE

revision = "0001"
down_revision = None


def upgrade():
    op.execute(CREATE_TABLE)
    op.execute("CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY, text text)")
    op.execute("CREATE TABLE kept.secrets (id int)")
"""
LATER_REVISION = """
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.execute("CREATE TABLE later (id int)")
"""
INSERT_AUDIT = (
    "INSERT INTO audit (event, actor, subject, address, request_id) VALUES ('e', 'a', '', '', '')"
)
FORBIDDEN = [
    "UPDATE audit SET actor = 'somebody else'",
    "DELETE FROM audit",
    "TRUNCATE audit",
    "INSERT INTO audit OVERRIDING SYSTEM VALUE TABLE audit ON CONFLICT (id) DO UPDATE SET actor=''",
    "SELECT * FROM audit FOR UPDATE",
    "TRUNCATE notes",
    "ALTER TABLE notes ADD COLUMN more text",
    "ALTER TABLE audit OWNER TO CURRENT_USER",
    "ALTER TABLE audit DISABLE TRIGGER ALL",
    "CREATE INDEX ON notes (id)",
    "CREATE TRIGGER t BEFORE INSERT ON audit EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE RULE r AS ON INSERT TO audit DO INSTEAD NOTHING",
    "DROP TABLE notes",
    "CREATE TABLE mine (id int)",
    "CREATE TEMPORARY TABLE mine (id int)",
    "CREATE SCHEMA mine",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE EXTENSION pg_trgm",
    "CREATE ROLE mine",
    "CREATE DATABASE mine",
    "UPDATE alembic_version SET version_num = '0000'",
    "SELECT setval('notes_id_seq', 1)",
    "SELECT * FROM kept.secrets",
    "COPY notes TO PROGRAM 'true'",
    "SELECT pg_read_file('PG_VERSION')",
]


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    """A folder of migrations whose only one makes an audit log and two other tables."""
    versions = tmp_path / "versions"
    versions.mkdir()
    (versions / "0001_first.py").write_text(REVISION)
    return tmp_path


@pytest.fixture
def owner_url(new_database: Callable[[], str]) -> str:
    """An empty database, as its owner."""
    url = new_database()
    with asyncio.Runner() as runner, SqlConnection(runner, url) as sql:
        sql.run("CREATE SCHEMA kept")
    return url


@pytest.fixture
def migrated(owner_url: str, migrations: Path) -> str:
    """The same, migrated."""
    migrate_with_roles(owner_url, migrations)
    return owner_url


@pytest.fixture
def owner(migrated: str) -> Iterator[SqlConnection]:
    """A connection of the owner."""
    with asyncio.Runner() as runner, SqlConnection(runner, migrated) as sql:
        yield sql


@pytest.fixture
def service(migrated: str) -> Iterator[SqlConnection]:
    """A connection of the service."""
    with asyncio.Runner() as runner, SqlConnection(runner, service_url(migrated)) as sql:
        yield sql


def rights(sql: SqlConnection) -> list[str]:
    """The rights of all roles to the tables."""
    return [str(row[0]) for row in sql.run("SELECT relacl FROM pg_class WHERE relacl IS NOT NULL")]


def test_service_reads_and_changes_rows(service: SqlConnection) -> None:
    """A service may insert, read, change and delete rows of its tables."""
    service.run("INSERT INTO notes (text) VALUES ('one'), ('two')")
    service.run("UPDATE notes SET text = 'three' WHERE id = 1")
    service.run("DELETE FROM notes WHERE id = 2")

    assert [tuple(row) for row in service.run("SELECT * FROM notes")] == [(1, "three")]


def test_service_adds_to_the_audit_log(service: SqlConnection) -> None:
    """A service may add entries to the audit log, and read them."""
    service.run(INSERT_AUDIT)

    assert service.value("SELECT event FROM audit") == "e"


def test_service_reads_the_revision(service: SqlConnection) -> None:
    """A service may read which revision its database has, as its readiness check does."""
    assert service.value("SELECT version_num FROM alembic_version") == "0001"


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_service_may_do_nothing_else(service: SqlConnection, statement: str) -> None:
    """A service may not change its schema, its rights or the audit log."""
    service.run(INSERT_AUDIT)

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        service.run(statement)


def test_service_may_not_enter_other_databases(
    migrated: str, new_database: Callable[[], str]
) -> None:
    """A service cannot connect to the database of another service."""
    other = new_database().rpartition("/")[2]
    url = f"{service_url(migrated).rpartition('/')[0]}/{other}"

    with asyncio.Runner() as runner, pytest.raises(asyncpg.InsufficientPrivilegeError):
        runner.run(asyncpg.connect(url))


def test_rights_are_the_same_after_another_migration(
    migrated: str, owner: SqlConnection, migrations: Path
) -> None:
    """Migrating again changes no right."""
    before = rights(owner)

    migrate_with_roles(migrated, migrations)

    assert rights(owner) == before


def test_later_tables_are_used_too(migrated: str, service: SqlConnection, migrations: Path) -> None:
    """A table of a later revision gets the same rights."""
    (migrations / "versions" / "0002_later.py").write_text(LATER_REVISION)

    migrate_with_roles(migrated, migrations)

    service.run("INSERT INTO later VALUES (1)")
    assert service.value("SELECT id FROM later") == 1


def test_rights_that_are_too_wide_are_taken_away(
    migrated: str, owner: SqlConnection, service: SqlConnection, migrations: Path
) -> None:
    """A right that somebody has granted to the service by hand is gone after a migration."""
    owner.run(f'GRANT ALL ON audit TO "{service.value("SELECT current_user")}"')

    migrate_with_roles(migrated, migrations)

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        service.run("DELETE FROM audit")


def test_tables_of_others_are_left_alone(
    owner_url: str, postgres_server: PostgresServer, migrations: Path
) -> None:
    """A view that an extension of the superuser has made does not stop a migration."""
    database = owner_url.rpartition("/")[2]
    with (
        asyncio.Runner() as runner,
        SqlConnection(runner, postgres_server.url(database)) as superuser,
    ):
        superuser.run("CREATE TABLE public.foreign_table (id int)")

    migrate_with_roles(owner_url, migrations)

    with (
        asyncio.Runner() as runner,
        SqlConnection(runner, service_url(owner_url)) as service,
        pytest.raises(asyncpg.InsufficientPrivilegeError),
    ):
        service.run("SELECT * FROM foreign_table")


def test_service_that_owned_everything_gets_a_role_of_its_own(
    owner_url: str, migrations: Path
) -> None:
    """After an upgrade from one role to two, the new role has the rights of a service alone."""
    asyncio.run(migrate(Secret(owner_url), migrations, service_url=Secret(owner_url)))
    with asyncio.Runner() as runner, SqlConnection(runner, owner_url) as sql:
        sql.run("INSERT INTO notes (text) VALUES ('kept')")

    migrate_with_roles(owner_url, migrations)

    with asyncio.Runner() as runner, SqlConnection(runner, service_url(owner_url)) as sql:
        assert sql.value("SELECT text FROM notes") == "kept"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            sql.run("DELETE FROM audit")


def test_one_role_for_both_is_warned_about(owner_url: str, migrations: Path) -> None:
    """If the service's role is the owner, migrating works, and the log has a warning."""
    with capture_logs() as lines:
        asyncio.run(migrate(Secret(owner_url), migrations, service_url=Secret(owner_url)))

    warnings = [line["event"] for line in lines if line["log_level"] == "warning"]
    assert warnings == ["the service has the rights of the database's owner"]


def test_missing_role_is_named(owner_url: str, migrations: Path) -> None:
    """If the service's role does not exist, the error says so."""
    url = Secret("postgresql://missing:x@127.0.0.1/x")

    with pytest.raises(MigrationError, match='role "missing" does not exist'):
        asyncio.run(migrate(Secret(owner_url), migrations, service_url=url))


@pytest.mark.parametrize(
    ("url", "role"),
    [
        ("postgresql://thoughts_service:p%40@host:5432/thoughts", "thoughts_service"),
        ("postgresql://the%20role@one,two:5433/name?sslmode=require", "the role"),
        ("postgresql:///name?host=/run/postgresql&user=other", "other"),
        ("postgresql://thoughts_service@host/thoughts?user=other", "thoughts_service"),
    ],
)
def test_role_is_found_in_an_address(url: str, role: str) -> None:
    """The role stands before the host, or else in a parameter; it may be percent-encoded."""
    assert role_in(Secret(url)) == role


def test_address_without_role_is_refused() -> None:
    """Without a role in the address, nobody could get rights."""
    with pytest.raises(CommandError, match="must name a role"):
        role_in(Secret("postgresql://host/name"))
