"""A PostgreSQL server that a test may stop, kill and freeze."""

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
    """A PostgreSQL server of the test's own, with a migrated database."""

    def __init__(self, folder: Path) -> None:
        self.server = PostgresServer(folder / "postgres", password=new_password(), durable=False)
        self.server.start()
        self.url = self.server.create_database("away", owner="away", password=new_password())
        migrate(Secret(self.url), MIGRATIONS)


@contextmanager
def frozen(server: PostgresServer) -> Iterator[None]:
    """Keep every process of the server from running, as a network that swallows all does."""
    postmaster = psutil.Process(server.process.pid)
    processes = [postmaster, *postmaster.children()]
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGCONT)
