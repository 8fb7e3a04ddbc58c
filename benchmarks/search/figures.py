"""The results of the search benchmark: the format of `results/search-SIZE.json`.

Times are in milliseconds as seen by a client, CPU is user and system time per request.
"""

from dataclasses import dataclass

from benchmarks.machine import Machine
from benchmarks.measuring import Latencies


@dataclass(frozen=True, slots=True)
class Figure:
    """The latencies of one class of terms or lists.

    `refused` counts 503 answers, `incomplete` those with fewer entries than requested although
    more follow. CPU is None if it was not measured.
    """

    kind: str
    clients: int
    cache: str
    latencies: Latencies
    refused: int
    incomplete: int
    service_cpu_us: float | None = None
    postgres_cpu_us: float | None = None


@dataclass(frozen=True, slots=True)
class TermFigure:
    """One term: its number of thoughts (of this author), and its times, warm, one client."""

    kind: str
    term: str
    username: str
    matches: int
    p50_ms: float
    worst_ms: float


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Everything measured at one size.

    `os_cache_dropped` says whether "cold" includes the operating system's file cache.
    """

    machine: Machine
    size: int
    os_cache_dropped: bool
    terms: list[TermFigure]
    figures: list[Figure]

    def by_kind(self, *, clients: int = 1, cache: str = "warm") -> dict[str, Figure]:
        """Return the figures measured in this way, by class."""
        return {
            figure.kind: figure
            for figure in self.figures
            if (figure.clients, figure.cache) == (clients, cache)
        }
