"""The first start of a database: whatever goes wrong, the next start makes it whole."""

import re
import time
from pathlib import Path

from testkit.compose_project import Project
from testkit.docker import docker
from testkit.waiting import wait_until
from tooling.project import THOUGHTS

FILE = THOUGHTS.folder / "compose.yaml"
DATABASE = "thoughts-database"
# No role can have this name: the script that makes it fails.
REFUSED = "services: {thoughts-database: {environment: {APPLICATION_DATABASE: pg_refused}}}"
LAST_WORDS = re.compile("FATAL: .*configuration file")
COUNT_ROLES = "SELECT count(rolpassword) FROM pg_authid WHERE rolname = 'thoughts_service'"
LAST_LINE = ("logs", "--no-log-prefix", "--tail=1")
TABLES = ("exec", "-T", DATABASE, "psql", "--username=postgres", "--tuples-only", "--command")


def test_failed_initialisation_is_done_again(tmp_path: Path) -> None:
    """A first start that failed leaves nothing that counts as a database."""
    override = tmp_path / "compose.yaml"
    override.write_text(REFUSED)
    with Project(FILE, override) as project:
        project.compose("up", "--detach", DATABASE)
        wait_until(
            lambda: "pg_refused" in project.compose("logs", DATABASE),
            what="a first start that fails",
        )
        override.write_text("services: {}")

        project.compose("up", "--detach", "--wait", "thoughts-backend")

        assert project.health("thoughts-backend") == "healthy"


def test_killed_initialisation_is_done_again() -> None:
    """A database that was killed several times in its first start is made whole by the next."""
    with Project(FILE) as project:
        project.compose("up", "--no-start", DATABASE)
        project.compose("up", "secrets")
        name = project.container(DATABASE)
        for seconds in (0.4, 0.8, 1.2, 1.6, 2.0):
            docker("start", name)
            time.sleep(seconds)
            docker("kill", name)

        project.compose("up", "--detach", "--wait", DATABASE)

        databases = project.compose(*TABLES, "SELECT datname FROM pg_database")
        assert "thoughts" in databases.split()


def test_changed_password_is_set_by_the_next_start() -> None:
    """A start with another password sets it, also for a role that is missing; others set none."""
    with Project(FILE) as project:
        project.compose("up", "--detach", "--wait", DATABASE)
        project.compose(*TABLES, "DROP ROLE thoughts_service")
        files = f"--volume={project.name}_thoughts-database-server:/files"

        restart(project)
        before = project.compose(*TABLES, COUNT_ROLES)
        change = "echo changed > /files/service-password"
        docker("run", "--rm", files, "--entrypoint=sh", "postgres:18-trixie", "-c", change)
        restart(project)

        assert before.strip() == "0"
        assert project.compose(*TABLES, COUNT_ROLES).strip() == "1"


def restart(project: Project) -> None:
    """Restart the database."""
    project.compose("stop", DATABASE)
    project.compose("up", "--detach", "--wait", DATABASE)


def test_later_starts_keep_the_data() -> None:
    """A database that was killed later has what it had."""
    with Project(FILE) as project:
        project.compose("up", "--detach", "--wait", DATABASE)
        project.compose(*TABLES, "CREATE TABLE kept ()")
        project.compose("kill", DATABASE)

        project.compose("up", "--detach", "--wait", DATABASE)

        assert "kept" in project.compose(*TABLES, "SELECT tablename FROM pg_tables")


def test_reason_of_a_failed_start_is_in_the_last_line() -> None:
    """A database that cannot start with its configuration ends its log with PostgreSQL's reason."""
    with Project(FILE) as project:
        project.compose("up", "--detach", "--wait", DATABASE)
        spoil = 'echo "shared_buffers = much" >> "$PGDATA/postgresql.conf"'
        project.compose("exec", "-T", DATABASE, "sh", "-c", spoil)
        project.compose("restart", DATABASE)

        wait_until(
            lambda: LAST_WORDS.search(project.compose(*LAST_LINE, DATABASE)) is not None,
            what="a start that fails, with its reason",
        )
