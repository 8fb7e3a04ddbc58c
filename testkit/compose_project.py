"""The system as `docker compose up` runs it, under its own name and on its own ports."""

import os
import subprocess
import uuid
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from local.ports import free_port
from testkit.docker import docker, inspected
from testkit.system import System
from testkit.waiting import wait_until
from tooling.project import FRONTEND, ROOT, SERVICES, THOUGHTS, USERS, Service

SHOW_ADMIN_PASSWORD = (
    *("run", "--rm", "--no-deps", "--entrypoint", "cat"),
    *("admin", "/run/secrets/admin/password"),
)


class Project:
    """A Docker Compose project; it is removed completely at the end of the `with` block."""

    def __init__(self, *files: Path) -> None:
        self.name = f"mythoughts-test-{uuid.uuid4().hex[:8]}"
        self.ports = {service.port_setting: free_port() for service in SERVICES}
        self._files = [f"--file={file}" for file in files or (ROOT / "compose.yaml",)]

    def __enter__(self) -> Self:
        """Start nothing yet."""
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        """Remove the containers, networks and volumes."""
        self.compose("down", "--volumes", "--timeout=5")

    def up(self) -> None:
        """Start it, and wait until every container is healthy or has finished its work."""
        self.compose("up", "--detach", "--wait")

    def restore(self) -> None:
        """Start the services and databases that have stopped, and wait until they are healthy."""
        stopped = self.compose("ps", "--services", "--status=exited").split()
        services = [
            name for name in stopped if name.endswith(("-database", "-backend", "frontend"))
        ]
        for name in services:
            docker("start", self.container(name))
        for name in services:
            wait_until(lambda: self.health(name) == "healthy", what=f"{name} healthy")  # noqa: B023

    def compose(self, *arguments: str) -> str:
        """Run a Docker Compose command and return its output; fails with its error message."""
        done = subprocess.run(
            ["docker", "compose", "--project-name", self.name, *self._files, *arguments],
            env=os.environ | {name: str(port) for name, port in self.ports.items()},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"docker compose {' '.join(arguments)}:\n{done.stderr}"
        return done.stdout

    def container(self, service: str) -> str:
        """The id of a service's container, running or not."""
        return self.compose("ps", "--all", "--quiet", service).strip()

    def details(self, service: str) -> dict[str, Any]:
        """The output of `docker inspect` for a service's container."""
        return inspected(self.container(service))

    def health(self, service: str) -> str:
        """The result of the image's health check."""
        return str(self.details(service)["State"]["Health"]["Status"])

    def python(self, service: str, code: str) -> str:
        """Run Python code in a service's container and return its output."""
        return self.compose("exec", "-T", service, "python", "-c", code).strip()

    @property
    def admin_password(self) -> str:
        """The password of the user `admin`."""
        return self.compose(*SHOW_ADMIN_PASSWORD).strip()

    def url(self, service: Service) -> str:
        """The address of a service."""
        return f"http://127.0.0.1:{self.ports[service.port_setting]}"

    def system(self) -> System:
        """The system as its clients see it."""
        return System(
            frontend_url=self.url(FRONTEND),
            thoughts_url=self.url(THOUGHTS),
            users_url=self.url(USERS),
            admin_password=self.admin_password,
        )
