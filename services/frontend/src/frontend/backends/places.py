"""A few places for calls that may wait long in a backend, shared fairly between networks.

A login waits in the Users Backend for its turn to have the password checked, and holds a thread and
a connection meanwhile. So only a few logins run at once, and the networks that they come from take
turns.
"""

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from queue import Full

from frontend.backends.errors import TooManyRequests
from mythoughts_chassis.fair_queue import FairQueue

WAIT_SECONDS = 1.0
RETRY_AFTER_SECONDS = 1


class Places:
    """Places for `at_once` calls; `waiting` further ones may wait for a place."""

    def __init__(self, *, at_once: int, waiting: int) -> None:
        self._lock = threading.Lock()
        self._free = at_once
        self._queue = FairQueue[Future[bool]](places=waiting, places_per_network=waiting)

    @contextmanager
    def place(self, network: str) -> Iterator[None]:
        """Hold a place within the block; raises `TooManyRequests`."""
        if not self._is_given(network):
            raise TooManyRequests(RETRY_AFTER_SECONDS, is_crowded=True)
        try:
            yield
        finally:
            self._give_back()

    def _is_given(self, network: str) -> bool:
        waiting = Future[bool]()
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            try:
                displaced = self._queue.add(network, waiting)
            except Full:
                return False
            if displaced is not None:
                displaced.set_result(False)
        try:
            return waiting.result(WAIT_SECONDS)
        except TimeoutError:
            return self._is_given_late(network, waiting)

    def _is_given_late(self, network: str, waiting: Future[bool]) -> bool:
        with self._lock:
            self._queue.remove(network, waiting)
            return waiting.done() and waiting.result()

    def _give_back(self) -> None:
        with self._lock:
            following = self._queue.take()
            if following is None:
                self._free += 1
            else:
                following.set_result(True)
