"""Docker, called as a program, and the three images."""

import json
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.services import FRONTEND, THOUGHTS, USERS, Service


@dataclass(frozen=True, slots=True)
class Image:
    """The image of a service; its `name` is that of its container in Compose, too."""

    service: Service
    name: str

    @property
    def version(self) -> str:
        """The version that the service's description states."""
        text = (self.service.folder / "pyproject.toml").read_text()
        return str(tomllib.loads(text)["project"]["version"])

    @property
    def reference(self) -> str:
        """What Docker calls it."""
        return f"mythoughts/{self.name}:{self.version}"

    @property
    def lock(self) -> Path:
        """The lock that its packages come from."""
        return self.service.folder / "requirements.txt"


IMAGES = (
    Image(THOUGHTS, "thoughts-backend"),
    Image(USERS, "users-backend"),
    Image(FRONTEND, "frontend"),
)


def docker(*arguments: str) -> str:
    """Run a command of Docker; what it printed. Fails with what it complained of."""
    done = run_docker(*arguments)
    assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr}"
    return done.stdout


def run_docker(*arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
    """Run a command of Docker that may end as it likes."""
    command = ["docker", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)


def inspected(name: str) -> dict[str, Any]:
    """What `docker inspect` says of a container or an image."""
    details: dict[str, Any] = json.loads(docker("inspect", name))[0]
    return details
