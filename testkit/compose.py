"""The system as Docker Compose runs it.

`MYTHOUGHTS_COMPOSE_PROJECT` names the project; the addresses come from the same variables as
for any running system (`conftest`).
"""

import subprocess

from testkit.system import System
from testkit.waiting import wait_until
from tooling.project import ROOT, SERVICES
from tooling.readiness import is_ready

CONTAINERS = {service.name: service.workload for service in SERVICES}
DATABASES = ("thoughts-database", "users-database")


class Compose:
    """A project that `docker compose up` has started."""

    def __init__(self, project: str, system: System) -> None:
        self._project = project
        self._system = system

    @property
    def system(self) -> System:
        """How its clients see it."""
        return self._system

    def stop(self, service: str) -> None:
        """Stop the container: SIGTERM, and wait for its end."""
        self._compose("stop", CONTAINERS[service])

    def kill(self, service: str) -> None:
        """Kill the container's process."""
        self._compose("kill", CONTAINERS[service])

    def restart(self, *services: str) -> None:
        """Restart the containers, or start them."""
        if services:
            self._compose("restart", *(CONTAINERS[service] for service in services))
        for service in services:
            wait_until(lambda: self.is_ready(service), what=f"{service} is ready")  # noqa: B023

    def stop_database(self) -> None:
        """Stop both databases."""
        self._compose("stop", *DATABASES)

    def start_database(self) -> None:
        """Start both databases."""
        self._compose("start", *DATABASES)
        for database in DATABASES:
            check = ("exec", "-T", database, "pg_isready", "--quiet", "--host", "127.0.0.1")
            wait_until(lambda: self._succeeds(*check), what=f"{database} is there")  # noqa: B023

    def is_ready(self, service: str) -> bool:
        """Whether the service says so itself."""
        return is_ready(f"{self._system.url_of(service)}/readyz")

    def lives_of(self, service: str) -> list[str]:
        """When the container was started last, if it runs."""
        container = self._compose("ps", "--quiet", "--status", "running", CONTAINERS[service])
        if not container:
            return []
        inspect = ["docker", "inspect", "--format", "{{.State.StartedAt}}", container]
        return [_output_of(inspect)]

    def rotate_keys(self, *options: str) -> None:
        """Rotate the keys in the volumes that the containers read."""
        self._compose("run", "--rm", "--no-deps", "keys", "rotate-keys", *options)

    def log_of(self, service: str) -> str:
        """What the container has written."""
        return self._compose("logs", "--no-color", "--no-log-prefix", CONTAINERS[service])

    def restore(self) -> None:
        """Start what does not run."""
        running = self._compose("ps", "--services", "--status", "running").split()
        if not set(DATABASES) <= set(running):
            self.start_database()
        self.restart(*(name for name, container in CONTAINERS.items() if container not in running))

    def _compose(self, *arguments: str) -> str:
        return _output_of(self._command(*arguments))

    def _succeeds(self, *arguments: str) -> bool:
        command = self._command(*arguments)
        return subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 0

    def _command(self, *arguments: str) -> list[str]:
        return ["docker", "compose", "--project-name", self._project, *arguments]


def _output_of(command: list[str]) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout.strip()
