"""A short queue that is shared fairly between the networks of clients."""

from collections import deque
from queue import Full
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """Items wait here, and the networks take turns; not safe to share between threads.

    When every place is taken, the network with the most items gives one up (as in stochastic
    fairness queueing, P. McKenney, 1990), so a crowd from a few networks cannot keep others out.
    """

    def __init__(self, *, places: int, places_per_network: int) -> None:
        self._places = places
        self._places_per_network = places_per_network
        # In the order of the turns.
        self._lines: dict[str, deque[T]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._lines.values()))

    def add(self, network: str, item: T) -> T | None:
        """Let an item wait; return the item that loses its place to it, or None.

        Raises `queue.Full` if the network has used up its places, or if all are taken and no
        network has two more than this one.
        """
        own = len(self._lines.get(network, ()))
        if own >= self._places_per_network:
            raise Full
        displaced = self._displace(own + 1) if len(self) >= self._places else None
        self._lines.setdefault(network, deque()).append(item)
        return displaced

    def take(self) -> T | None:
        """Remove and return the item whose turn it is, or None."""
        if not self._lines:
            return None
        network = next(iter(self._lines))
        line = self._lines.pop(network)
        item = line.popleft()
        if line:
            self._lines[network] = line
        return item

    def remove(self, network: str, item: T) -> None:
        """Remove an item that waits no longer, if it is here."""
        line = self._lines.get(network, deque())
        if item in line:
            line.remove(item)
        if not line:
            self._lines.pop(network, None)

    def _displace(self, fair_share: int) -> T:
        longest = max(self._lines.values(), key=len)
        if len(longest) <= fair_share:
            raise Full
        return longest.pop()
