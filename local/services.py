"""The ports and the settings of the services on one machine."""

import os
from collections.abc import Iterable, Mapping

from local import ports
from local.folder import Folder
from tooling.failures import Failure
from tooling.project import FRONTEND, SERVICES, THOUGHTS, USERS, Service
from tooling.settings import MAX_PORT

HOST = "127.0.0.1"

# The settings of the ports, by the name of the process.
PORT_SETTINGS = {
    **{service.name: service.port_setting for service in SERVICES},
    "postgres": "POSTGRES_PORT",
}


def choose_ports(wanted: Mapping[str, int]) -> dict[str, int]:
    """The port of each process: the wanted one, or any free one if it is 0 or missing.

    Raises a Failure that names every unusable port and says how to choose others.
    """
    chosen = {name: wanted.get(name) or ports.free_port() for name in PORT_SETTINGS}
    faults = {name: fault for name in chosen if (fault := _fault_of(name, chosen))}
    if faults:
        lines = [f"Port {chosen[name]} {fault}." for name, fault in faults.items()]
        raise Failure("\n".join([*lines, f"Add to the command: {_others(faults, chosen)}"]))
    return chosen


def _fault_of(name: str, chosen: Mapping[str, int]) -> str | None:
    """Why a process cannot have the port chosen for it, or None."""
    first = next(other for other in chosen if chosen[other] == chosen[name])
    if first != name:
        return f"is that of {PORT_SETTINGS[first]} already"
    return ports.fault_of(chosen[name])


def _others(names: Iterable[str], chosen: Mapping[str, int]) -> str:
    """Settings that give these processes other ports: free ones, thousands above the chosen."""
    taken = set(chosen.values())
    settings = []
    for name in names:
        candidates = range(chosen[name] + 1000, MAX_PORT + 1, 1000)
        free = (port for port in candidates if port not in taken and not ports.fault_of(port))
        port = next(free, None) or ports.free_port()
        taken.add(port)
        settings.append(f"{PORT_SETTINGS[name]}={port}")
    return " ".join(settings)


def environment_of(
    service: Service,
    *,
    folder: Folder,
    urls: Mapping[str, str],
    database_urls: Mapping[str, str],
    settings: Mapping[str, str],
) -> dict[str, str]:
    """The complete environment of a service, with additional `settings`.

    It inherits only PATH from this process.
    """
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "HOST": HOST,
        "PORT": urls[service.name].rpartition(":")[2],
        # The Frontend calls the backends from here.
        "TRUSTED_PROXIES": f"{HOST}/32",
        "TOKEN_PUBLIC_KEYS_PATH": str(folder.public_keys),
        **settings,
    }
    if service.name in database_urls:
        environment["DATABASE_URL"] = database_urls[service.name]
    if service is USERS:
        # People who try the system out may first log in much later.
        environment["TEMPORARY_PASSWORD_SECONDS"] = "0"  # noqa: S105 (a time)
        environment["TOKEN_PRIVATE_KEYS_PATH"] = str(folder.private_keys)
    else:
        environment["USERS_BACKEND_URL"] = urls[USERS.name]
    if service is FRONTEND:
        environment["THOUGHTS_BACKEND_URL"] = urls[THOUGHTS.name]
    return environment
