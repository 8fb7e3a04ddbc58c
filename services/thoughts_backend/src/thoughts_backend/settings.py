"""What the Thoughts Backend can be told."""

from dataclasses import dataclass

from mythoughts_chassis.settings import ApiSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ApiSettings):
    """Read from the environment by `load_settings`."""
