"""The settings of the Frontend, all read at startup."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mythoughts_chassis.settings import (
    ServiceSettings,
    SettingsError,
    backend_ca_setting,
    check_url,
    setting,
)

# A name, all names below one, an IPv6 address, or any host.
_HOST_NAME = re.compile(r"\.?[\w-]+(\.[\w-]+)*\.?|\[[0-9A-Fa-f:.]+\]|\*")


def _check_hosts(hosts: tuple[str, ...]) -> None:
    for host in hosts:
        if not _HOST_NAME.fullmatch(host):
            raise ValueError(
                "must be names such as www.example.com or .example.com, "
                f"separated by commas, without a scheme and a port, got {host!r}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ServiceSettings):
    """Read from the environment by `load_settings`."""

    thoughts_backend_url: str = setting(
        "Address of the Thoughts Backend, for example http://thoughts-service.", check=check_url
    )
    users_backend_url: str = setting(
        "Address of the Users Backend, for example http://users-service.", check=check_url
    )
    backend_ca_path: Path | None = backend_ca_setting()
    allowed_hosts: tuple[str, ...] = setting(
        "Names under which browsers reach the Frontend, separated by commas; `.example.com` also "
        "covers every name below it. Requests for other names are refused. If it is not set, every "
        "name is accepted.",
        default=(),
        check=_check_hosts,
    )
    registration: Literal["open", "closed"] = setting(
        "open: there is a page on which everybody can create an account. The same as in the Users "
        "Backend, which decides.",
        default="closed",
    )
    threads: int = setting(
        "How many requests are handled at once. More than twice BACKEND_CONNECTIONS, "
        "so that calls to two stalled backends leave some threads free.",
        default=24,
        minimum=1,
        maximum=256,
    )
    backend_connections: int = setting(
        "How many calls to one backend may run at once.", default=4, minimum=1, maximum=128
    )
    backend_connect_seconds: float = setting(
        "How long opening a connection to a backend may take.",
        default=1.0,
        minimum=0.01,
        maximum=60,
    )
    backend_answer_seconds: float = setting(
        "How long a call to a backend may take, with up to 1 s of waiting for a connection. "
        "The backends themselves give up after 2.5 s.",
        default=3.0,
        minimum=0.01,
        maximum=60,
    )

    def __post_init__(self) -> None:
        """Reject a number of threads that calls to two stalled backends could occupy."""
        if self.threads <= 2 * self.backend_connections:
            raise SettingsError("THREADS: must be more than twice BACKEND_CONNECTIONS")
