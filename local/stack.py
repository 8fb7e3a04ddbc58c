"""The whole system on one machine, started in order and stopped in reverse order.

`make up` and the whole-system tests start the system with this class:

    with temporary_stack() as stack:
        urllib.request.urlopen(stack.urls["frontend"])
        stack.services["thoughts"].kill()
        stack.restart("thoughts")
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path

from local import leftovers
from local.folder import RESET_ADVICE, Folder
from local.postgres import PostgresError, PostgresServer, remove_data
from local.process import Process
from local.services import HOST, choose_ports, environment_of
from tooling.failures import Failure
from tooling.project import SERVICES, THOUGHTS, USERS, Service
from tooling.readiness import is_ready, wait_until

START_SECONDS = 60
JOB_SECONDS = 120
# More than a service takes to finish the requests in progress (FINISH_SECONDS, 15).
STOP_SECONDS = 20

Step = Callable[[str], AbstractContextManager[None]]
CommandOf = Callable[[Service], list[str | Path]]


class Stack:
    """PostgreSQL and the three services, with demonstration data, in one folder.

    `urls` and `services` have the keys `thoughts`, `users` and `frontend`. `database_urls` are the
    addresses of the databases for the services, `owner_urls` those for the databases' owners. A
    port that is 0 or missing in `ports` means any free one. `settings` are additional settings of
    every service, `postgres_settings` those of PostgreSQL. `command_of` returns the command that
    serves a service. `on_line(name, line)` is called for each line that a process prints;
    `step(label)` returns a context manager for each part of the start.

    The caller must hold the folder (`Folder.held`), even to construct it. Raises Failure.
    """

    def __init__(
        self,
        folder: Folder,
        *,
        ports: Mapping[str, int] | None = None,
        settings: Mapping[str, str] | None = None,
        durable: bool = True,
        postgres_settings: Mapping[str, str] | None = None,
        command_of: CommandOf = Service.command,
        on_line: Callable[[str, str], None] | None = None,
        step: Step = lambda _: nullcontext(),
    ) -> None:
        self.folder = folder
        self.urls: dict[str, str] = {}
        self.database_urls: dict[str, str] = {}
        self.owner_urls: dict[str, str] = {}
        self.services: dict[str, Process] = {}
        self._ports = ports or {}
        self._settings = settings or {}
        self._command_of = command_of
        self._on_line = on_line
        self._step = step
        self._secrets = folder.secrets()
        self.postgres = PostgresServer(
            folder.postgres,
            password=self._secrets.postgres,
            durable=durable,
            settings=postgres_settings,
            log_path=folder.logs / "postgres.log",
            on_line=on_line,
        )

    @property
    def admin_password(self) -> str:
        """The password of the user `admin`."""
        return self.folder.admin_password.read_text().strip()

    def start(self) -> None:
        """Start everything and wait until each service is ready; if that fails, stop everything."""
        self.folder.check()
        leftovers.end(self.folder.logs)
        ports = choose_ports(self._ports)
        self.postgres.port = ports["postgres"]
        for service in SERVICES:
            self.urls[service.name] = f"http://{HOST}:{ports[service.name]}"
        try:
            with self._step("Starting PostgreSQL"):
                self._start_postgres()
            with self._step("Preparing databases and keys"):
                self._run_jobs(self._preparations())
            if not self.folder.demonstration.exists():
                with self._step("Loading demonstration data"):
                    self._load_demonstration()
                self.folder.demonstration.touch()
            with self._step("Starting the services"):
                self.restart(*self.services)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop all services at the same time, then PostgreSQL."""
        self._stop_services(*self.services)
        self.postgres.stop()

    def __enter__(self) -> "Stack":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._step("Stopping"):
            self.stop()

    def restart(self, *names: str) -> None:
        """Stop the services if they run, start them, and wait until they are ready.

        Raises Failure if one does not start.
        """
        self._stop_services(*names)
        for name in names:
            self.services[name].start()
        for name in names:
            self._wait_until_ready(name)

    def migrate(self, *services: Service) -> None:
        """Bring the schemas of the services' databases up to date; raises Failure."""
        self._run_jobs([self._process(service, "migrate", as_owner=True) for service in services])

    def check(self) -> None:
        """Raise Failure if one of the processes has ended by itself."""
        for process in (*self.services.values(), self.postgres.process):
            if process.exit_status is not None:
                raise process.failure()

    def _start_postgres(self) -> None:
        try:
            self.postgres.start()
            for name in ("thoughts", "users"):
                self._prepare_database(name)
        except PostgresError as error:
            raise Failure(f"{error}\n\nIf its data is damaged: {RESET_ADVICE}") from error
        for service in SERVICES:
            self.services[service.name] = self._process(service)

    def _prepare_database(self, name: str) -> None:
        """Create a database and its two roles where they are missing."""
        passwords, service = asdict(self._secrets), f"{name}_service"
        url = self.postgres.create_database(name, owner=name, password=passwords[name])
        self.postgres.create_role(service, password=passwords[service])
        self.owner_urls[name] = url
        self.database_urls[name] = self.postgres.url(
            name, user=service, password=passwords[service]
        )

    def _process(self, service: Service, *arguments: str | Path, as_owner: bool = False) -> Process:
        environment = environment_of(
            service,
            folder=self.folder,
            urls=self.urls,
            database_urls=self.database_urls,
            settings=self._settings,
        )
        if as_owner:
            environment["MIGRATIONS_DATABASE_URL"] = self.owner_urls[service.name]
        return Process(
            service.name,
            service.command(*arguments) if arguments else self._command_of(service),
            environment=environment,
            log_path=self.folder.logs / f"{service.name}.log",
            on_line=self._on_line,
        )

    def _preparations(self) -> list[Process]:
        jobs = [self._process(service, "migrate", as_owner=True) for service in (THOUGHTS, USERS)]
        keys = (self.folder.private_keys, self.folder.public_keys)
        if not all(path.exists() for path in keys):
            jobs.append(self._process(USERS, "rotate-keys"))
        return jobs

    def _load_demonstration(self) -> None:
        self._run_jobs(
            [
                self._process(service, "load-demo", "--file", service.demonstration, as_owner=True)
                for service in (THOUGHTS, USERS)
            ]
        )
        # Afterwards, because demonstration data is loaded only if there are no users.
        self.folder.make_admin_password()
        temporary = ("--must-change-password", "--password-file", self.folder.admin_password)
        self._run_jobs([self._process(USERS, "create-admin", "admin", "--if-missing", *temporary)])

    def _run_jobs(self, jobs: Sequence[Process]) -> None:
        """Run commands at the same time; raises Failure if one fails."""
        try:
            for job in jobs:
                job.start()
            for job in jobs:
                if job.wait(timeout_seconds=JOB_SECONDS):
                    command = " ".join(job.command[1:4])
                    raise job.failure(f"(python {command}) {job.ending}")
        finally:
            for job in jobs:
                if job.is_running:
                    job.kill()

    def _stop_services(self, *names: str) -> None:
        running = [self.services[name] for name in names if self.services[name].is_running]
        for process in running:
            process.signal(process.stop_signal)
        for process in running:
            process.wait(timeout_seconds=STOP_SECONDS)

    def _wait_until_ready(self, name: str) -> None:
        process, url = self.services[name], f"{self.urls[name]}/readyz"
        if wait_until(lambda: is_ready(url) or not process.is_running, seconds=START_SECONDS):
            if process.exit_status is None:
                return
            raise process.failure()
        raise process.failure(f"was not ready after {START_SECONDS} s")


# The settings of a system whose users share as fast as they can.
SHARING_UNLIMITED = {"SHARES_PER_MINUTE": "0", "SHARES_PER_DAY": "0"}


@contextmanager
def temporary_stack(
    settings: Mapping[str, str] | None = None,
    *,
    postgres_settings: Mapping[str, str] | None = None,
) -> Iterator[Stack]:
    """The whole system on free ports and in a temporary folder, deleted at the end.

    It logs as in production (JSON), and its database runs without fsync. The settings are those
    of `Stack`.
    """
    with tempfile.TemporaryDirectory(prefix="mythoughts-") as name:
        # PostgreSQL's own account must be able to enter if root runs this.
        Path(name).chmod(0o711)
        folder = Folder(Path(name, ".local"))
        try:
            with (
                folder.held(),
                Stack(
                    folder, settings=settings, durable=False, postgres_settings=postgres_settings
                ) as stack,
            ):
                yield stack
        finally:
            remove_data(folder.postgres)
