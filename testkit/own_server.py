"""PostgreSQL servers that a test can stop, kill, freeze and hold back."""

import asyncio
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from local import postgres_binaries
from local.account import unprivileged_account
from local.postgres import PostgresServer, new_password, remove_data
from testkit.roles import create_with_roles, migrate_with_roles, service_url
from testkit.sql import SqlConnection
from testkit.waiting import wait_until

# A statement that conflicts with the primary's changes is cancelled at once, not after 30 s.
CONFIGURATION = "max_standby_streaming_delay = 0\n"


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that PostgreSQL's own account may enter, as it must when the tests run as root."""
    with tempfile.TemporaryDirectory(prefix="mythoughts-tests-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


class OwnServer:
    """A PostgreSQL server for one test, with a migrated database, at `url` for the service."""

    def __init__(self, folder: Path, migrations: Path) -> None:
        self.server = PostgresServer(folder / "postgres", password=new_password(), durable=False)
        self.server.start()
        owner_url = create_with_roles(self.server, "away")
        migrate_with_roles(owner_url, migrations)
        self.url = service_url(owner_url)

    def remove(self) -> None:
        """Stop the server and delete its data."""
        self.server.stop()
        remove_data(self.server.data_dir)


class OwnReplica(OwnServer):
    """A PostgreSQL server with a migrated database, and its `replica`."""

    def __init__(self, folder: Path, migrations: Path) -> None:
        super().__init__(folder, migrations)
        data_dir = folder / "replica"
        _copy(self.server, data_dir)
        self.replica = PostgresServer(data_dir, password=new_password(), durable=False)
        self.replica.start()

    def remove(self) -> None:
        """Stop both servers and delete their data."""
        self.replica.stop()
        remove_data(self.replica.data_dir)
        super().remove()

    @property
    def replica_url(self) -> str:
        """The address of the replica, in the form of the primary's."""
        return self.url.replace(f":{self.server.port}/", f":{self.replica.port}/")

    def hold_back(self) -> None:
        """Pause the replica's replay until `let_go`."""
        self._on_replica("SELECT pg_wal_replay_pause()")
        wait_until(lambda: self._on_replica("SELECT pg_get_wal_replay_pause_state()") == "paused")

    def let_go(self) -> None:
        """Resume the replica's replay."""
        self._on_replica("SELECT pg_wal_replay_resume()")

    def wait_for_replica(self) -> None:
        """Wait until the replica has the primary's current state."""
        with asyncio.Runner() as runner, SqlConnection(runner, self.url) as sql:
            position = sql.value("SELECT pg_current_wal_lsn()::text")
        wait_until(
            lambda: bool(self._on_replica(f"SELECT pg_last_wal_replay_lsn() >= '{position}'"))
        )

    def _on_replica(self, statement: str) -> object:
        # The replica has the primary's passwords.
        url = self.server.url("postgres").replace(f":{self.server.port}/", f":{self.replica.port}/")
        with asyncio.Runner() as runner, SqlConnection(runner, url) as sql:
            return sql.value(statement)


@contextmanager
def frozen(server: PostgresServer) -> Iterator[None]:
    """Stop every process of the server from running, like a network that drops all packets."""
    postmaster = psutil.Process(server.process.pid)
    processes = [postmaster, *postmaster.children()]
    _send(signal.SIGSTOP, processes)
    try:
        yield
    finally:
        _send(signal.SIGCONT, processes)


def _send(signum: signal.Signals, processes: list[psutil.Process]) -> None:
    for process in processes:
        # One that was just ending when it was stopped is gone as soon as the postmaster continues.
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signum)


def _copy(primary: PostgresServer, data_dir: Path) -> None:
    """Copy the running primary's data, for a server that keeps following it."""
    subprocess.run(
        [
            postgres_binaries.program("pg_basebackup"),
            *("--pgdata", data_dir, "--dbname", primary.url("postgres")),
            *("--write-recovery-conf", "--checkpoint=fast", "--no-sync"),
        ],
        check=True,
        capture_output=True,
    )
    with (data_dir / "postgresql.auto.conf").open("a") as file:
        file.write(CONFIGURATION)
    account = unprivileged_account()
    if account is not None:
        for path in (data_dir, *data_dir.rglob("*")):
            os.lchown(path, *account)
