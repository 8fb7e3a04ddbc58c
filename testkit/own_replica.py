"""A primary and its streaming replica, which a test can stop, kill, freeze and hold back."""

import asyncio
import os
import subprocess
from pathlib import Path

from local import postgres_binaries
from local.account import unprivileged_account
from local.postgres import PostgresServer, new_password
from testkit.own_server import OwnServer
from testkit.thoughts_sql import Sql
from testkit.waiting import wait_until

# A statement that conflicts with the primary's changes is cancelled at once, not after 30 s.
CONFIGURATION = "max_standby_streaming_delay = 0\n"


class OwnReplica(OwnServer):
    """A PostgreSQL server with a migrated database, and its `replica`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        data_dir = folder / "replica"
        _copy(self.server, data_dir)
        self.replica = PostgresServer(data_dir, password=new_password(), durable=False)
        self.replica.start()

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
        with asyncio.Runner() as runner, Sql(runner, self.url) as sql:
            position = sql.value("SELECT pg_current_wal_lsn()::text")
        wait_until(
            lambda: bool(self._on_replica(f"SELECT pg_last_wal_replay_lsn() >= '{position}'"))
        )

    def _on_replica(self, statement: str) -> object:
        # The replica has the primary's passwords.
        url = self.server.url("postgres").replace(f":{self.server.port}/", f":{self.replica.port}/")
        with asyncio.Runner() as runner, Sql(runner, url) as sql:
            return sql.value(statement)


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
