"""What clients are told about limits: the headers of draft-ietf-httpapi-ratelimit-headers-10.

    RateLimit-Policy: "shares-per-minute";q=60;w=60
    RateLimit: "shares-per-minute";r=12;t=34

`q` requests are possible in `w` seconds; `r` are left now, and there are more in `t` seconds.
"""

from collections.abc import Mapping
from math import ceil
from types import MappingProxyType
from typing import NamedTuple

# What they mean, for the OpenAPI document.
RATE_LIMIT_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "RateLimit-Policy": "The limits: `q` requests are possible in `w` seconds.",
        "RateLimit": "What is left of them: `r` requests; in `t` seconds there are more.",
    }
)


class RateLimit(NamedTuple):
    """The current state of a limit, for one client."""

    name: str
    quota: int
    window_seconds: int
    remaining: int
    reset_seconds: float


def rate_limit_headers(*limits: RateLimit) -> dict[str, str]:
    """Return the headers of a response to which these limits apply."""
    policies, states = [], []
    for limit in limits:
        policies.append(f'"{limit.name}";q={limit.quota};w={limit.window_seconds}')
        states.append(f'"{limit.name}";r={limit.remaining};t={ceil(limit.reset_seconds)}')
    return {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(states)}
