"""The settings of the Users Backend."""

from dataclasses import dataclass
from pathlib import Path

from mythoughts_chassis.settings import ApiSettings, setting
from mythoughts_chassis.tokens import MAX_LIFETIME_SECONDS

TWELVE_HOURS_SECONDS = 43_200


# Without slots, so that `Settings` can inherit from two classes.
@dataclass(frozen=True, kw_only=True)
class KeySettings:
    """The settings that `rotate-keys` needs, which does not use the database."""

    token_public_keys_path: Path = setting("File with the public keys.")
    token_private_keys_path: Path = setting(
        "File with the private keys for signing tokens, a JWK set. "
        "It is read again when it changes."
    )
    token_lifetime_seconds: int = setting(
        "How long a token is valid, and so how long `rotate-keys` keeps an old key.",
        default=TWELVE_HOURS_SECONDS,
        minimum=1,
        maximum=MAX_LIFETIME_SECONDS,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ApiSettings, KeySettings):
    """Read from the environment by `load_settings`."""
