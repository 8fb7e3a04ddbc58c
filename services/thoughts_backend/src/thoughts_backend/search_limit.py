"""The limit of searches by the network of the client; each process counts for itself.

The counts are in memory, because counting in the database would cost as much as many searches do.
So with n processes a network may search up to n times as often.
"""

import time
from collections import Counter
from collections.abc import Mapping

from mythoughts_chassis.clients import Client
from mythoughts_chassis.problems import TooManyRequests
from mythoughts_chassis.rate_limits import RateLimit, rate_limit_headers

MINUTE_SECONDS = 60


class SearchLimit:
    """Counts the searches of one minute, the same for all; `per_minute` 0 means any number."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._counts: Counter[str] = Counter()
        self._ends_at = 0.0

    def count(self, client: Client) -> Mapping[str, str]:
        """Count a search and return headers about the limit; raises `TooManyRequests`."""
        if not self._per_minute:
            return {}
        now = time.monotonic()
        if now >= self._ends_at:
            self._counts.clear()
            self._ends_at = now + MINUTE_SECONDS
        left = self._per_minute - self._counts[client.network]
        limit = RateLimit(
            "searches", self._per_minute, MINUTE_SECONDS, max(left - 1, 0), self._ends_at - now
        )
        headers = rate_limit_headers(limit)
        if not left:
            raise TooManyRequests(
                "There have been too many searches from your network. Please wait.",
                retry_after_seconds=limit.reset_seconds,
                headers=headers,
            )
        self._counts[client.network] += 1
        return headers
