"""A primary and a streaming replica of it that a test may stop, kill, freeze and hold back."""

import asyncio
import os
import subprocess
from pathlib import Path

from chassis.tests.service_process import wait_until
from local import postgres_binaries
from local.account import unprivileged_account
from local.postgres import PostgresServer, new_password
from services.thoughts_backend.tests.own_server import OwnServer
from services.thoughts_backend.tests.sql import Sql

# A statement in the way of what the primary sends is ended at once, not after half a minute.
CONFIGURATION = "max_standby_streaming_delay = 0\n"


class OwnReplica(OwnServer):
    """A PostgreSQL server, with a migrated database, and `replica`, a server that follows it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        data_dir = folder / "replica"
        _copy(self.server, data_dir)
        self.replica = PostgresServer(data_dir, password=new_password(), durable=False)
        self.replica.start()

    @property
    def replica_url(self) -> str:
        """The address of the replica, in the words of the primary's."""
        return self.url.replace(f":{self.server.port}/", f":{self.replica.port}/")

    def hold_back(self) -> None:
        """Let the replica take nothing over until `let_go`."""
        self._on_replica("SELECT pg_wal_replay_pause()")
        wait_until(lambda: self._on_replica("SELECT pg_get_wal_replay_pause_state()") == "paused")

    def let_go(self) -> None:
        """Let the replica take over what has come meanwhile."""
        self._on_replica("SELECT pg_wal_replay_resume()")

    def wait_for_replica(self) -> None:
        """Wait until the replica has what the primary has now."""
        with asyncio.Runner() as runner, Sql(runner, self.url) as sql:
            position = sql.value("SELECT pg_current_wal_lsn()::text")
        wait_until(
            lambda: bool(self._on_replica(f"SELECT pg_last_wal_replay_lsn() >= '{position}'"))
        )

    def _on_replica(self, statement: str) -> object:
        # The passwords of the replica are the primary's.
        url = self.server.url("postgres").replace(f":{self.server.port}/", f":{self.replica.port}/")
        with asyncio.Runner() as runner, Sql(runner, url) as sql:
            return sql.value(statement)


def _copy(primary: PostgresServer, data_dir: Path) -> None:
    """Copy the running primary's data, for a server that goes on following it."""
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
