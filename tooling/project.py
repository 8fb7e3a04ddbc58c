"""The root folder of this repository and its three services."""

import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Service:
    """A service: its short `name`, its displayed `title`, its Python `package`."""

    name: str
    title: str
    package: str
    port_setting: str
    default_port: int

    @property
    def folder(self) -> Path:
        """The folder of the service's code, tests and demonstration data."""
        return ROOT / "services" / self.package

    @property
    def demonstration(self) -> Path:
        """The file with a backend's demonstration data."""
        return self.folder / "demo" / f"{self.name}.json"

    @property
    def start_page(self) -> str:
        """The path of the page that a person opens first."""
        return "/" if self.name == "frontend" else "/schema/swagger"

    @property
    def workload(self) -> str:
        """The name of its container and of its Deployment, such as `thoughts-backend`."""
        return self.package.replace("_", "-")

    @property
    def image(self) -> str:
        """Its image as the manifests name it, with the version from its pyproject.toml."""
        description = (self.folder / "pyproject.toml").read_text()
        version = tomllib.loads(description)["project"]["version"]
        return f"{self.repository}:{version}"

    @property
    def repository(self) -> str:
        """The name of its image without a version."""
        return f"mythoughts/{self.workload}"

    def command(self, *arguments: str | Path) -> list[str | Path]:
        """The command line that runs the service, or one of its commands given as `arguments`."""
        return [sys.executable, "-m", self.package, *arguments]


THOUGHTS = Service("thoughts", "Thoughts Backend", "thoughts_backend", "THOUGHTS_PORT", 8000)
USERS = Service("users", "Users Backend", "users_backend", "USERS_PORT", 8001)
FRONTEND = Service("frontend", "Frontend", "frontend", "FRONTEND_PORT", 8002)
SERVICES = (THOUGHTS, USERS, FRONTEND)
