"""The limit of searches, which each process counts for itself, by the network of the client.

In memory, because counting in the database would cost as much as many a search. So with several
processes a network may search as many times more.
"""

import time
from collections import Counter

from mythoughts_chassis.clients import Client
from mythoughts_chassis.problems import TooManyRequests
from mythoughts_chassis.rate_limits import RateLimit

MINUTE_SECONDS = 60


class SearchLimit:
    """Counts the searches of one minute, the same for all; `per_minute` 0 means any number."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._counts: Counter[str] = Counter()
        self._ends_at = 0.0

    def count(self, client: Client) -> None:
        """Count a search; raises `TooManyRequests` if it is one too many."""
        if not self._per_minute:
            return
        now = time.monotonic()
        if now >= self._ends_at:
            self._counts.clear()
            self._ends_at = now + MINUTE_SECONDS
        network = client.network
        if self._counts[network] >= self._per_minute:
            raise self._refusal(self._ends_at - now)
        self._counts[network] += 1

    def _refusal(self, seconds: float) -> TooManyRequests:
        limit = RateLimit("searches", self._per_minute, MINUTE_SECONDS, 0, seconds)
        return TooManyRequests(
            "There have been too many searches from your network. Please wait.",
            retry_after_seconds=seconds,
            headers=limit.headers,
        )
