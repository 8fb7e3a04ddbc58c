"""A real PostgreSQL server on one machine, for any user and in any folder."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from local import postgres_binaries
from local.account import run_as, unprivileged_account
from local.ports import free_port
from local.process import Process
from tooling.readiness import wait_until

SUPERUSER = "postgres"
HOST = "127.0.0.1"
START_SECONDS = 60

# Where the data goes if an unprivileged account cannot reach it in the project's folder.
_OUTSIDE = Path("/var/lib")

# Committed data survives killed processes, but not a crash of the machine.
_NOT_DURABLE = ("fsync=off", "full_page_writes=off")

# The databases are as separate as on different servers: only the owner may connect.
_CREATE_ROLE = r"""
SELECT format('CREATE ROLE %I LOGIN', :'name')
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'name') \gexec
ALTER ROLE :"name" PASSWORD :'password';
"""
_CREATE_DATABASE = r"""
SELECT format('CREATE DATABASE %I OWNER %I', :'name', :'owner')
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
"""


class PostgresError(Exception):
    """PostgreSQL could not be set up or started; `str()` gives its own explanation."""


class PostgresServer:
    """One PostgreSQL server on 127.0.0.1, TCP only, with passwords (SCRAM-SHA-256).

    `start()` creates `data_dir` if it is missing; its parent must exist. `port` 0 means a free
    port. `durable=False` trades safety against a crash of the machine for speed, for tests.
    `settings` are additional PostgreSQL settings. Databases have the encoding UTF8 and the
    built-in locale C.UTF-8.

    PostgreSQL refuses to run as root. If root starts it, it runs as `nobody`, who then owns the
    data folder. If that account cannot enter the project's folder, `data_dir` becomes a link to a
    folder under /var/lib, and the binaries are copied next to the data.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        password: str,
        port: int = 0,
        durable: bool = True,
        settings: Mapping[str, str] | None = None,
        log_path: Path | None = None,
        on_line: Callable[[str, str], None] | None = None,
    ) -> None:
        self.data_dir = data_dir
        self.port = port
        self.log_path = log_path or data_dir.with_name(data_dir.name + ".log")
        self._password = password
        self._durable = durable
        self._settings = dict(settings or {})
        self._on_line = on_line
        self._account = unprivileged_account()
        self._process: Process | None = None

    @property
    def process(self) -> Process:
        """The server's process; `start()` must have been called."""
        if self._process is None:
            raise PostgresError("PostgreSQL has not been started.")
        return self._process

    def url(self, database: str, *, user: str = SUPERUSER, password: str | None = None) -> str:
        """The address of a database, `postgresql://user:password@host:port/database`."""
        return f"postgresql://{user}:{password or self._password}@{HOST}:{self.port}/{database}"

    def start(self) -> None:
        """Create the data folder if necessary, start the server and wait until it is ready.

        Raises PostgresError if it does not start.
        """
        if not (self.data_dir / "PG_VERSION").exists():
            self._initialise()
        self.port = self.port or free_port()
        self._process = self._new_process()
        self._process.start()
        self._wait_until_ready(self._process)

    def stop(self) -> None:
        """Stop the server; open connections are closed, committed data is safe."""
        if self._process is not None and self._process.is_running:
            self._process.stop(timeout_seconds=30)

    def create_database(self, name: str, *, owner: str, password: str) -> str:
        """Create a database and its owner's role if they are missing; return the owner's URL."""
        self.create_role(owner, password=password)
        self._run_sql(_CREATE_DATABASE, name=name, owner=owner)
        return self.url(name, user=owner, password=password)

    def create_role(self, name: str, *, password: str) -> None:
        """Create a role that can log in if it is missing, and set its password."""
        self._run_sql(_CREATE_ROLE, name=name, password=password)

    def drop_database(self, name: str) -> None:
        """Drop a database, closing its connections."""
        self._run_sql('DROP DATABASE IF EXISTS :"name" WITH (FORCE);', name=name)

    def rename_databases(self, *names: tuple[str, str]) -> None:
        """Rename databases without connections: all of them or none."""
        renaming = "".join(f'ALTER DATABASE "{old}" RENAME TO "{new}";\n' for old, new in names)
        self._run_sql(f"BEGIN;\n{renaming}COMMIT;\n")

    def run_client(
        self,
        program: str,
        *arguments: str,
        user: str = SUPERUSER,
        password: str | None = None,
        text: str = "",
    ) -> None:
        """Run one of PostgreSQL's client programs, with `text` as its standard input.

        Raises PostgresError.
        """
        done = subprocess.run(
            [postgres_binaries.program(program), *arguments],
            input=text,
            env={
                "PGHOST": HOST,
                "PGPORT": str(self.port),
                "PGUSER": user,
                "PGPASSWORD": password or self._password,
                "PGCLIENTENCODING": "UTF8",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise PostgresError(f"PostgreSQL's {program} failed:\n{done.stderr}")

    def _new_process(self) -> Process:
        options = [
            f"listen_addresses={HOST}",
            f"port={self.port}",
            # No Unix socket: its path is limited to about 100 bytes, the project's folder is not.
            "unix_socket_directories=",
            *(() if self._durable else _NOT_DURABLE),
            *(f"{name}={value}" for name, value in self._settings.items()),
        ]
        settings = [part for option in options for part in ("-c", option)]
        return Process(
            "postgres",
            [self._program("postgres"), "-D", self.data_dir.resolve(), *settings],
            environment={"LC_ALL": "C", "TZ": "UTC"},
            log_path=self.log_path,
            on_line=self._on_line,
            account=self._account,
            stop_signal=signal.SIGINT,  # PostgreSQL's "fast shutdown"
        )

    def _wait_until_ready(self, process: Process) -> None:
        wait_until(
            lambda: self._is_ready(process.pid) or not process.is_running, seconds=START_SECONDS
        )
        if not process.is_running:
            process.wait(timeout_seconds=1)
            raise PostgresError("\n".join(["PostgreSQL did not start:", *process.last_lines]))
        if not self._is_ready(process.pid):
            process.stop()
            raise PostgresError(f"PostgreSQL was not ready after {START_SECONDS} s.")

    def _is_ready(self, pid: int) -> bool:
        """Whether the server's lock file says that it is ready: line 1 is its pid, 8 its state."""
        try:
            lines = (self.data_dir / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def _initialise(self) -> None:
        """Create the data folder under a temporary name, so that it is never incomplete."""
        self._choose_place()
        target = self.data_dir.resolve()
        unfinished = target.with_name(target.name + ".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self._give_away(unfinished)
        # Not in TMPDIR, which may be accessible only to root.
        with tempfile.NamedTemporaryFile("w", dir=target.parent) as password_file:
            password_file.write(self._password)
            password_file.flush()
            self._give_away(Path(password_file.name))
            self._initdb(unfinished, Path(password_file.name))
        if target.exists():
            target.rmdir()
        unfinished.rename(target)

    def _initdb(self, folder: Path, password_file: Path) -> None:
        arguments = [
            f"--username={SUPERUSER}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C.UTF-8",
            "--no-instructions",
            *(() if self._durable else ("--no-sync",)),
        ]
        done = subprocess.run(
            [self._program("initdb"), "-D", folder, f"--pwfile={password_file}", *arguments],
            env={"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath},
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            **run_as(self._account),
        )
        if done.returncode:
            raise PostgresError(f"PostgreSQL's initdb failed:\n{done.stderr or done.stdout}")

    def _choose_place(self) -> None:
        if self._account is None or self.data_dir.is_symlink():
            return
        if not self._account.may_use(self.data_dir.parent):
            outside = Path(tempfile.mkdtemp(prefix="mythoughts-", dir=_OUTSIDE))
            outside.chmod(0o711)
            self.data_dir.symlink_to(outside / "data")

    def _program(self, name: str) -> Path:
        copies = self.data_dir.resolve().parent
        return postgres_binaries.program_for(self._account, name, copies=copies)

    def _give_away(self, path: Path) -> None:
        if self._account is not None:
            os.chown(path, *self._account)

    def _run_sql(self, sql: str, **variables: str) -> None:
        """Run SQL as the superuser; `variables` of psql must not contain quotes."""
        settings = "".join(f"\\set {name} '{value}'\n" for name, value in variables.items())
        options = ("-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", "postgres")
        self.run_client("psql", *options, text=settings + sql)


def new_password() -> str:
    """A random password of 32 letters, digits, `-` and `_`, which needs no quoting in a URL."""
    return secrets.token_urlsafe(24)


def remove_data(data_dir: Path) -> None:
    """Delete a stopped server's data, wherever it is."""
    if data_dir.is_symlink():
        shutil.rmtree(data_dir.resolve().parent, ignore_errors=True)
        data_dir.unlink()
    else:
        shutil.rmtree(data_dir, ignore_errors=True)
