"""The settings of the Thoughts Backend."""

from dataclasses import dataclass

from mythoughts_chassis.settings import ApiSettings, Secret, check_database_url, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ApiSettings):
    """Read from the environment by `load_settings`."""

    database_replica_url: Secret | None = setting(
        "Address of a replica of the database, in the form of `DATABASE_URL`. Everybody's thoughts "
        "are listed and searched there, with a separate pool of `DATABASE_POOL_SIZE` connections.",
        default=None,
        check=check_database_url,
    )
