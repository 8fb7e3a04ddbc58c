"""The settings of the Frontend, all read at startup."""

import re
from dataclasses import dataclass

from mythoughts_chassis.settings import ServiceSettings, SettingsError, check_url, setting

# A name, all names below one, an IPv6 address, or any host.
_HOST_NAME = re.compile(r"\.?[\w-]+(\.[\w-]+)*\.?|\[[0-9A-Fa-f:.]+\]|\*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ServiceSettings):
    """The Frontend's settings; raises `SettingsError` for an address that is not http."""

    thoughts_backend_url: str = setting(
        "Address of the Thoughts Backend, for example http://thoughts-service."
    )
    users_backend_url: str = setting(
        "Address of the Users Backend, for example http://users-service."
    )
    behind_tls: bool = setting(
        "true if browsers reach the Frontend over https: cookies become Secure, "
        "and browsers are told to use only https.",
        default=False,
    )
    allowed_hosts: tuple[str, ...] = setting(
        "Names under which browsers reach the Frontend, separated by commas; `.example.com` also "
        "covers every name below it. Requests for other names are refused. If it is not set, every "
        "name is accepted.",
        default=(),
    )
    threads: int = setting(
        "How many requests are handled at once. More than twice BACKEND_CONNECTIONS, "
        "so that two stalled backends do not occupy every thread.",
        default=12,
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
        "How long a whole response of a backend may take. "
        "More than the 2.5 s after which the backends themselves give up.",
        default=3.0,
        minimum=0.01,
        maximum=60,
    )

    def __post_init__(self) -> None:
        """Reject values that would only fail later, with every page."""
        ServiceSettings.__post_init__(self)
        for name in ("thoughts_backend_url", "users_backend_url"):
            check_url(name.upper(), getattr(self, name))
        for host in self.allowed_hosts:
            if not _HOST_NAME.fullmatch(host):
                raise SettingsError(
                    "ALLOWED_HOSTS: must be names such as www.example.com or .example.com, "
                    f"separated by commas, without a scheme and a port, got {host!r}"
                )
        if self.threads <= 2 * self.backend_connections:
            raise SettingsError("THREADS: must be more than twice BACKEND_CONNECTIONS")
