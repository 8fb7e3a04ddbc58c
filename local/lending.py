"""Lends the PostgreSQL server of `make up` to other programs, whether the system runs or not."""

from collections.abc import Iterator
from contextlib import contextmanager

from local import leftovers
from local.folder import Folder
from local.postgres import PostgresServer
from tooling.failures import Failure


@contextmanager
def lent_server(folder: Folder, verb: str) -> Iterator[PostgresServer]:
    """The server with the data of the folder, started for the verb if the system is not running.

    Raises Failure or PostgresError.
    """
    holder = folder.holder()
    if holder is None or not holder.runs_the_system:
        with own_server(folder, verb) as server:
            yield server
        return
    server = _server(folder)
    server.port = _port(folder)
    yield server


@contextmanager
def own_server(folder: Folder, verb: str) -> Iterator[PostgresServer]:
    """The same server, always started for the verb; raises Failure if the folder is in use."""
    with folder.held(verb):
        leftovers.end(folder.logs)
        server = _server(folder)
        try:
            server.start()
            yield server
        finally:
            server.stop()


def _server(folder: Folder) -> PostgresServer:
    log = folder.logs / "postgres.log"
    return PostgresServer(folder.postgres, password=folder.secrets().postgres, log_path=log)


def _port(folder: Folder) -> int:
    """The port of a running server, from the fourth line of its lock file."""
    try:
        return int((folder.postgres / "postmaster.pid").read_text().splitlines()[3])
    except (FileNotFoundError, IndexError):
        raise Failure("The system is starting or stopping: try again in a moment.") from None
