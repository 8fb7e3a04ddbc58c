"""The settings of the Users Backend."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mythoughts_chassis.settings import ApiSettings, setting
from mythoughts_chassis.tokens import MAX_LIFETIME_SECONDS

HOUR_SECONDS = 3_600
MAX_SESSION_SECONDS = 366 * 86_400


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
        "How long a token is valid.",
        default=12 * HOUR_SECONDS,
        minimum=1,
        maximum=MAX_LIFETIME_SECONDS,
    )
    admin_token_lifetime_seconds: int = setting(
        "How long a token of an admin is valid.",
        default=HOUR_SECONDS,
        minimum=1,
        maximum=MAX_LIFETIME_SECONDS,
    )

    @property
    def longest_token_lifetime_seconds(self) -> int:
        """How long `rotate-keys` keeps an old key."""
        return max(self.token_lifetime_seconds, self.admin_token_lifetime_seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ApiSettings, KeySettings):
    """Read from the environment by `load_settings`."""

    registration: Literal["open", "closed"] = setting(
        "open: everybody can create an account for themselves; closed: only admins can create "
        "accounts.",
        default="closed",
    )
    temporary_password_seconds: int = setting(
        "How long a temporary password, which an admin has set, can be used for the first login; "
        "0 means without limit.",
        default=7 * 24 * HOUR_SECONDS,
        minimum=0,
        maximum=MAX_SESSION_SECONDS,
    )
    session_lifetime_seconds: int = setting(
        "How long after a login its session ends, however often the token is renewed.",
        default=30 * 24 * HOUR_SECONDS,
        minimum=1,
        maximum=MAX_SESSION_SECONDS,
    )
