"""The ports and the settings of the services on one machine."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from local import ports
from local.folder import Folder
from tooling.failures import Failure
from tooling.project import FRONTEND, SERVICES, THOUGHTS, USERS, Service

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Ports:
    """The port of each process; 0 means any free port."""

    thoughts: int = 0
    users: int = 0
    frontend: int = 0
    postgres: int = 0

    def of(self, service: Service) -> int:
        """The port of a service."""
        port: int = getattr(self, service.name)
        return port


@dataclass(frozen=True, slots=True)
class ServiceOptions:
    """Settings of every service about logs and draining, with the same names."""

    log_level: str = "info"
    log_format: str = "json"
    drain_seconds: float = 0


def choose_ports(wanted: Ports) -> Ports:
    """Choose a free port for each service whose port is 0; PostgreSQL chooses its own later.

    Raises a Failure that names every unusable port and says how to choose others.
    """
    chosen = Ports(
        **{service.name: wanted.of(service) or ports.free_port() for service in SERVICES},
        postgres=wanted.postgres,
    )
    settings = {service.port_setting: chosen.of(service) for service in SERVICES}
    if chosen.postgres:
        settings["POSTGRES_PORT"] = chosen.postgres
    faults = [
        f"Port {port} {fault}. Choose another: make up {name}={port + 1000}"
        for name, port in settings.items()
        if (fault := ports.fault_of(port))
    ]
    if faults:
        raise Failure("\n".join(faults))
    return chosen


def environment_of(
    service: Service,
    *,
    folder: Folder,
    urls: Mapping[str, str],
    database_urls: Mapping[str, str],
    options: ServiceOptions,
) -> dict[str, str]:
    """The complete environment of a service; it inherits only PATH from this process."""
    address = urls[service.name]
    settings = {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "HOST": HOST,
        "PORT": address.rpartition(":")[2],
        "LOG_LEVEL": options.log_level,
        "LOG_FORMAT": options.log_format,
        "DRAIN_SECONDS": str(options.drain_seconds),
        "TOKEN_PUBLIC_KEYS_PATH": str(folder.public_keys),
    }
    if service.name in database_urls:
        settings["DATABASE_URL"] = database_urls[service.name]
    if service is USERS:
        settings["TOKEN_PRIVATE_KEYS_PATH"] = str(folder.private_keys)
    if service is FRONTEND:
        settings["THOUGHTS_BACKEND_URL"] = urls[THOUGHTS.name]
        settings["USERS_BACKEND_URL"] = urls[USERS.name]
    return settings
