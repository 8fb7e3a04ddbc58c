"""The database that thoughts are loaded into: that of `make up`, or another."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from local.folder import Folder
from local.lending import lent_server
from tooling.failures import Failure

# Including its indexes; for a while PostgreSQL's WAL takes additional room.
BYTES_PER_THOUGHT = 1000

_NO_DATABASE = """\
There is no database yet: `make up` creates one. To use another database:
  make load-data N=1000000 DATABASE_URL=postgresql://USER:PASSWORD@HOST:PORT/DATABASE"""


@contextmanager
def database_url(environment: Mapping[str, str], path: Path, count: int) -> Iterator[str]:
    """Give the URL in DATABASE_URL, or that of the database in the folder `path`.

    A stopped server is started for the time. Raises Failure, for example if there is no database or
    not enough room for `count` thoughts, or PostgresError.
    """
    if url := environment.get("DATABASE_URL"):
        yield url
        return
    folder = Folder(path)
    if not folder.postgres.exists():
        raise Failure(_NO_DATABASE)
    _check_room(folder, count)
    with lent_server(folder, "load-data") as server:
        yield server.url("thoughts", user="thoughts", password=folder.secrets().thoughts)


def room_for(count: int) -> str:
    """The room that `count` thoughts take, as text for the user."""
    size_bytes = count * BYTES_PER_THOUGHT
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.0f} MB"


def _check_room(folder: Folder, count: int) -> None:
    free_bytes = shutil.disk_usage(folder.postgres.resolve()).free
    if free_bytes < count * BYTES_PER_THOUGHT:
        raise Failure(
            f"{count:,} thoughts need about {room_for(count)}, but the database's disk has "
            f"only {free_bytes / 1e9:.1f} GB free."
        )
