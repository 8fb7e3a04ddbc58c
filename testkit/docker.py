"""Docker, called as a program, and the three images."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tooling.project import SERVICES, Service


@dataclass(frozen=True, slots=True)
class Image:
    """The image of a service."""

    service: Service

    @property
    def name(self) -> str:
        """The name of its container, in Compose and in a cluster."""
        return self.service.workload

    @property
    def reference(self) -> str:
        """Its name in Docker."""
        return self.service.image

    @property
    def version(self) -> str:
        """The version in the service's pyproject.toml."""
        return self.reference.rpartition(":")[2]

    @property
    def lock(self) -> Path:
        """The lock file of its packages."""
        return self.service.folder / "requirements.txt"


IMAGES = tuple(map(Image, SERVICES))


def docker(*arguments: str) -> str:
    """Run a Docker command and return its output; fails with its error message."""
    done = run_docker(*arguments)
    assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr}"
    return done.stdout


def run_docker(*arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
    """Run a Docker command that may fail."""
    command = ["docker", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)


def inspected(name: str) -> dict[str, Any]:
    """The output of `docker inspect` for a container or an image."""
    details: dict[str, Any] = json.loads(docker("inspect", name))[0]
    return details
