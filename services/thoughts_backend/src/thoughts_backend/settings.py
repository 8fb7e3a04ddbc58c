"""The settings of the Thoughts Backend."""

from dataclasses import dataclass
from pathlib import Path

from mythoughts_chassis.settings import (
    ApiSettings,
    Secret,
    backend_ca_setting,
    check_database_url,
    check_url,
    setting,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ApiSettings):
    """Read from the environment by `load_settings`."""

    users_backend_url: str = setting(
        "Address of the Users Backend, for example http://users-service. The list of sessions that "
        "have ended comes from there.",
        check=check_url,
    )
    backend_ca_path: Path | None = backend_ca_setting()
    database_replica_url: Secret | None = setting(
        "Address of a replica of the database, in the form of `DATABASE_URL`. Everybody's thoughts "
        "are listed and searched there, with a separate pool of `DATABASE_POOL_SIZE` connections.",
        default=None,
        check=check_database_url,
    )
    searches_per_minute: int = setting(
        "How many searches each process answers in a minute for one client, which is an IPv4 "
        "address or an IPv6 network of 64 bits; 0 means any number.",
        default=0,
        minimum=0,
        maximum=1_000_000,
    )
    shares_per_minute: int = setting(
        "How many thoughts a user may share in a minute; 0 means any number.",
        default=60,
        minimum=0,
        maximum=1_000_000,
    )
    shares_per_day: int = setting(
        "How many thoughts a user may share in a day; 0 means any number.",
        default=1000,
        minimum=0,
        maximum=1_000_000,
    )
