"""The folder `.local`, kept between runs. `local/__init__.py` lists its contents."""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TextIO

from local import postgres
from tooling.failures import Failure
from tooling.private_files import write_private

RESET_ADVICE = "`make reset` deletes the data and starts over."


@dataclass(frozen=True, slots=True)
class Secrets:
    """Random passwords, created by the first run; they need no quoting in a URL.

    `thoughts` and `users` are the roles that own a database of the same name.
    """

    postgres: str
    thoughts: str
    thoughts_service: str
    users: str
    users_service: str


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds the folder, and the verb that it carries out."""

    pid: int
    verb: str

    @property
    def runs_the_system(self) -> bool:
        """Whether it is the system, which lends its database and which `make down` stops."""
        return self.verb == "up"

    def __str__(self) -> str:
        """What it is doing, and how to end that."""
        if self.runs_the_system:
            return (
                f"MyThoughts is already running from this folder (process {self.pid}). "
                "`make down` stops it."
            )
        return f"`make {self.verb}` is using this folder (process {self.pid}): wait until it ends."


class Folder:
    """The folder and the paths in it."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.postgres = self.path / "postgres"
        self.logs = self.path / "logs"
        self.backups = self.path / "backups"
        self.private_keys = self.path / "keys" / "private.json"
        self.public_keys = self.path / "keys" / "public.json"
        self.admin_password = self.path / "admin-password"
        # An empty file once the demonstration data has been loaded.
        self.demonstration = self.path / "done" / "demonstration"
        self._secrets = self.path / "secrets.json"
        self._lock = self.path / "lock"

    @contextmanager
    def held(self, verb: str = "up") -> Iterator[None]:
        """Create the folder if necessary and lock it for a verb; `up` is any run of the system.

        Raises Failure if another process holds it, or if it belongs to another user.
        """
        with self._open_lock() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = self.holder() or "Another process was using this folder: try again."
                raise Failure(str(holder)) from None
            lock.truncate(0)
            lock.write(f"{os.getpid()} {verb}")
            lock.flush()
            try:
                yield
            finally:
                lock.truncate(0)

    def _open_lock(self) -> TextIO:
        """Create what is missing, and open the file that is locked."""
        try:
            # Others may pass through: PostgreSQL's own account must, if root runs the system.
            self.path.mkdir(mode=0o711, exist_ok=True)
            for folder in (self.logs, self.demonstration.parent, self.private_keys.parent):
                folder.mkdir(mode=0o700, exist_ok=True)
            # Append, so that the process id of another run is not erased before it is read.
            return self._lock.open("a+")
        except OSError as error:
            raise Failure(
                f"{self.path} cannot be written: {error.strerror}. Was it created by another user? "
                "Run this as that user, or delete the folder as that user."
            ) from error

    def holder(self) -> Holder | None:
        """The process that holds the folder, or None."""
        while self._is_held():
            # Briefly empty, between taking the lock and writing.
            if text := self._lock.read_text():
                pid, _, verb = text.partition(" ")
                return Holder(int(pid), verb or "up")
        return None

    def _is_held(self) -> bool:
        if not self._lock.exists():
            return False
        with self._lock.open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def secrets(self) -> Secrets:
        """The secrets, created by the first call; raises Failure if they have been lost."""
        try:
            return Secrets(**json.loads(self._secrets.read_text()))
        except FileNotFoundError:
            if os.path.lexists(self.postgres):
                raise Failure(
                    f"{self._secrets} is missing, so the database's password is lost. "
                    + RESET_ADVICE
                ) from None
        except (OSError, ValueError, TypeError) as error:
            raise Failure(f"{self._secrets} is damaged ({error}). {RESET_ADVICE}") from error
        made = Secrets(**{field.name: postgres.new_password() for field in fields(Secrets)})
        write_private(self._secrets, json.dumps(asdict(made), indent=2))
        return made

    def take_keys(self) -> dict[Path, str]:
        """Delete the keys of the tokens: none signed so far is valid with those made later.

        Returns what `put_keys_back` needs.
        """
        paths = (self.private_keys, self.public_keys)
        keys = {path: path.read_text().strip() for path in paths if path.exists()}
        for path in keys:
            path.unlink()
        return keys

    def put_keys_back(self, keys: Mapping[Path, str]) -> None:
        """Make the tokens valid again."""
        for path, text in keys.items():
            write_private(path, text)

    def make_admin_password(self) -> None:
        """Create the administrator's password unless it exists."""
        if not self.admin_password.exists():
            write_private(self.admin_password, secrets.token_urlsafe(12))

    def check(self) -> None:
        """Raise Failure if a run cannot continue with the existing data."""
        data_dir = self.postgres
        lost_link = data_dir.is_symlink() and not data_dir.resolve().parent.is_dir()
        contents = list(data_dir.iterdir()) if data_dir.is_dir() else []
        if lost_link or (contents and not (data_dir / "PG_VERSION").exists()):
            raise Failure(f"{data_dir} does not contain a PostgreSQL database. {RESET_ADVICE}")
        for path in (self.private_keys, self.public_keys):
            if path.exists() and not _holds_keys(path):
                raise Failure(f"{path} contains no keys for tokens. {RESET_ADVICE}")


def _holds_keys(path: Path) -> bool:
    try:
        return bool(json.loads(path.read_bytes())["keys"])
    except (OSError, ValueError, TypeError, KeyError):
        return False
