"""A PostgreSQL server that a test can stop, kill and freeze."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from local.postgres import PostgresServer, new_password
from mythoughts_chassis.migrations import migrate
from mythoughts_chassis.settings import Secret
from thoughts_backend.app import MIGRATIONS


class OwnServer:
    """A PostgreSQL server for one test, with a migrated database."""

    def __init__(self, folder: Path) -> None:
        self.server = PostgresServer(folder / "postgres", password=new_password(), durable=False)
        self.server.start()
        self.url = self.server.create_database("away", owner="away", password=new_password())
        migrate(Secret(self.url), MIGRATIONS)


@contextmanager
def frozen(server: PostgresServer) -> Iterator[None]:
    """Stop every process of the server from running, like a network that drops all packets."""
    postmaster = psutil.Process(server.process.pid)
    processes = [postmaster, *postmaster.children()]
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGCONT)
