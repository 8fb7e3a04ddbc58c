"""What clients are told about limits: the headers of draft-ietf-httpapi-ratelimit-headers-10.

    RateLimit-Policy: "shares";q=60;w=60
    RateLimit: "shares";r=12;t=34

`q` requests are possible in `w` seconds; `r` are left for now, and in `t` seconds there are more.
"""

from math import ceil
from typing import NamedTuple


class RateLimit(NamedTuple):
    """A limit as it stands for one client."""

    name: str
    quota: int
    window_seconds: int
    remaining: int
    reset_seconds: float

    @property
    def headers(self) -> dict[str, str]:
        """The limit as response headers."""
        return {
            "RateLimit-Policy": f'"{self.name}";q={self.quota};w={self.window_seconds}',
            "RateLimit": f'"{self.name}";r={self.remaining};t={ceil(self.reset_seconds)}',
        }
