"""Docker, called as a program, and the three images."""

import json
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tooling.project import FRONTEND, THOUGHTS, USERS, Service


@dataclass(frozen=True, slots=True)
class Image:
    """The image of a service; `name` is also its container's name in Compose."""

    service: Service
    name: str

    @property
    def version(self) -> str:
        """The version in the service's pyproject.toml."""
        text = (self.service.folder / "pyproject.toml").read_text()
        return str(tomllib.loads(text)["project"]["version"])

    @property
    def reference(self) -> str:
        """Its name in Docker."""
        return f"mythoughts/{self.name}:{self.version}"

    @property
    def lock(self) -> Path:
        """The lock file of its packages."""
        return self.service.folder / "requirements.txt"


IMAGES = (
    Image(THOUGHTS, "thoughts-backend"),
    Image(USERS, "users-backend"),
    Image(FRONTEND, "frontend"),
)


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
