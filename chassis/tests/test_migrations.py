"""Migrations that fail or have nothing to do; the services' own are tested there."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mythoughts_chassis.migrations import MigrationError
from testkit.roles import migrate_with_roles
from testkit.sql import SqlConnection

FAILING = """
from alembic import op

revision = "0001"
down_revision = None


def upgrade():
    op.execute("CREATE TABLE first (id int)")
    op.execute("ALTER TABLE missing ADD COLUMN id int")
"""


@pytest.fixture
def failing(tmp_path: Path) -> Path:
    """A folder of migrations whose only one fails halfway."""
    versions = tmp_path / "versions"
    versions.mkdir()
    (versions / "0001_failing.py").write_text(FAILING)
    return tmp_path


def test_failed_migration_is_reported_in_one_line(
    new_database: Callable[[], str], failing: Path
) -> None:
    """A migration that PostgreSQL rejects raises an error with only PostgreSQL's reason."""
    url = new_database()

    with pytest.raises(MigrationError) as caught:
        migrate_with_roles(url, failing)

    assert str(caught.value) == ('the database was not migrated: relation "missing" does not exist')


def test_failed_migration_leaves_nothing_behind(
    new_database: Callable[[], str], failing: Path
) -> None:
    """The partial changes of a failed revision are rolled back."""
    url = new_database()

    with pytest.raises(MigrationError):
        migrate_with_roles(url, failing)

    with asyncio.Runner() as runner, SqlConnection(runner, url) as sql:
        assert sql.value("SELECT to_regclass('first')") is None


def test_database_of_a_later_release_is_left_as_it_is(
    new_database: Callable[[], str], failing: Path
) -> None:
    """A release after a rollback accepts an unknown, newer revision."""
    url = new_database()
    with asyncio.Runner() as runner, SqlConnection(runner, url) as sql:
        sql.run("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        sql.run("INSERT INTO alembic_version VALUES ('0002')")

        migrate_with_roles(url, failing)

        assert sql.value("SELECT version_num FROM alembic_version") == "0002"


def test_database_that_is_up_to_date_needs_no_alembic(
    new_database: Callable[[], str], failing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is nothing to apply, Alembic, which is slow to import, is not used."""
    revision = failing / "versions" / "0001_failing.py"
    revision.write_text(FAILING.replace("ALTER TABLE missing ADD COLUMN id int", "SELECT 1"))
    url = new_database()
    migrate_with_roles(url, failing)

    # An import of this module now fails.
    monkeypatch.setitem(sys.modules, "mythoughts_chassis.revisions", None)
    migrate_with_roles(url, failing)

    with asyncio.Runner() as runner, SqlConnection(runner, url) as sql:
        assert sql.value("SELECT version_num FROM alembic_version") == "0001"
