"""Where the system runs, and what an operator does to it there.

The same tests run against processes of this machine, Docker Compose and a Kubernetes cluster.
Services are named `thoughts`, `users` and `frontend`.
"""

import subprocess
import sys
from typing import Protocol

from local.stack import Stack
from testkit.system import System, system_of
from tooling.project import USERS
from tooling.readiness import is_ready

SERVICES = ("thoughts", "users", "frontend")


class Installation(Protocol):
    """A running system that a test may stop parts of."""

    @property
    def system(self) -> System:
        """How its clients see it."""

    def stop(self, service: str) -> None:
        """Stop a service as an operator does; returns when it no longer serves."""

    def kill(self, service: str) -> None:
        """Kill every process of a service, without warning."""

    def restart(self, *services: str) -> None:
        """Stop the services if they run, start them, and wait until they are ready."""

    def stop_database(self) -> None:
        """Stop PostgreSQL under both backends."""

    def start_database(self) -> None:
        """Start PostgreSQL again; returns when it accepts connections."""

    def is_ready(self, service: str) -> bool:
        """Whether requests should be sent to the service."""

    def lives_of(self, service: str) -> list[str]:
        """Names of the service's running processes: another one after each restart."""

    def rotate_keys(self, *options: str) -> None:
        """Run `rotate-keys` with these options; returns when every service may know the keys."""

    def log_of(self, service: str) -> str:
        """What the service has logged."""

    def restore(self) -> None:
        """Start whatever was left stopped."""


class Processes:
    """The system as `make up` runs it."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    @property
    def system(self) -> System:
        """How its clients see it."""
        return system_of(self._stack)

    def stop(self, service: str) -> None:
        """Send SIGTERM and wait for the process's end."""
        self._stack.services[service].stop()

    def kill(self, service: str) -> None:
        """Send SIGKILL."""
        self._stack.services[service].kill()

    def restart(self, *services: str) -> None:
        """Stop the processes if they run, and start them."""
        self._stack.restart(*services)

    def stop_database(self) -> None:
        """Stop the server of both databases."""
        self._stack.postgres.stop()

    def start_database(self) -> None:
        """Start the server of both databases."""
        self._stack.postgres.start()

    def is_ready(self, service: str) -> bool:
        """Whether the service says so itself."""
        return is_ready(f"{self._stack.urls[service]}/readyz")

    def lives_of(self, service: str) -> list[str]:
        """The process's number."""
        process = self._stack.services[service]
        return [str(process.pid)] if process.is_running else []

    def rotate_keys(self, *options: str) -> None:
        """Rotate the keys in the files that the services read."""
        subprocess.run(
            [sys.executable, "-m", USERS.package, "rotate-keys", *options],
            env=self._stack.services["users"].environment,
            check=True,
            capture_output=True,
        )

    def log_of(self, service: str) -> str:
        """The log file's text."""
        return (self._stack.folder.logs / f"{service}.log").read_text()

    def restore(self) -> None:
        """Start what does not run."""
        if not self._stack.postgres.process.is_running:
            self._stack.postgres.start()
        self.restart(*stopped(self))


def stopped(installation: Installation) -> list[str]:
    """The services of which no process runs."""
    return [name for name in SERVICES if not installation.lives_of(name)]
