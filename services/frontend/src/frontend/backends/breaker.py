"""A circuit breaker: stops calling a backend that does not answer.

    closed     all calls go through; consecutive failures are counted
    open       after `failures_to_open` failures, no calls go through
    half open  every `probe_every_seconds`, one call goes through as a probe, even if the last one
               has no outcome yet; if one succeeds, the circuit closes

As in M. Nygard, "Release It!".
"""

import threading
import time
from collections.abc import Callable


class CircuitBreaker:
    """Decides whether a call may be made; safe to share between threads."""

    def __init__(
        self,
        *,
        failures_to_open: int,
        probe_every_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._failures_to_open = failures_to_open
        self._probe_every_seconds = probe_every_seconds
        self._clock = clock
        self._failures = 0
        self._next_probe_at = 0.0
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        """Whether calls are blocked, except for probes."""
        return self._failures >= self._failures_to_open

    def admits_call(self) -> bool:
        """Return whether a call may be made now. If so, the caller reports its outcome."""
        with self._lock:
            if not self.is_open:
                return True
            now = self._clock()
            if now < self._next_probe_at:
                return False
            self._next_probe_at = now + self._probe_every_seconds
            return True

    def report_success(self) -> None:
        """Close the circuit: the backend answers."""
        with self._lock:
            self._failures = 0

    def report_failure(self) -> None:
        """Count a failed call, and open the circuit after too many."""
        with self._lock:
            self._failures += 1
            if self._failures == self._failures_to_open:
                self._next_probe_at = self._clock() + self._probe_every_seconds
