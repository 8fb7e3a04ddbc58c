"""The three services as a cluster knows them."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

from deploy.failures import DeployError
from local import services as local_services


@dataclass(frozen=True, slots=True)
class Service:
    """One service: `name` is its Deployment's name, `host` the first part of its host name."""

    name: str
    title: str
    package: str
    host: str

    @property
    def image(self) -> str:
        """Its image as the manifests name it, with the version from its pyproject.toml."""
        description = local_services.ROOT / "services" / self.package / "pyproject.toml"
        version = tomllib.loads(description.read_text())["project"]["version"]
        return f"mythoughts/{self.name}:{version}"


SERVICES = tuple(
    Service(service.package.replace("_", "-"), service.title, service.package, service.name)
    for service in local_services.SERVICES
)


def chosen_service(environment: Mapping[str, str]) -> Service:
    """The service that SERVICE names."""
    name = environment.get("SERVICE") or ""
    for service in SERVICES:
        if service.name == name:
            return service
    names = ", ".join(service.name for service in SERVICES)
    raise DeployError(f"SERVICE={name} is none of {names}.")
