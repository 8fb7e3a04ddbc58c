"""The results of the search benchmark: the format of `results/search-SIZE.json`.

Times are in milliseconds as seen by a client, CPU is user and system time per request.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.machine import Machine
from benchmarks.measuring import Figure as CostFigure

OURS = "MyThoughts"


@dataclass(frozen=True, slots=True)
class Latencies:
    """Percentiles of request times, by nearest rank; all are 0 if no request was sent."""

    requests: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    worst_ms: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Latencies":
        """Summarize the times of some requests."""
        ordered = sorted(seconds) or [0.0]

        def rank(percent: float) -> float:
            return milliseconds(ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))])

        return cls(len(seconds), rank(50), rank(95), rank(99), rank(100))


@dataclass(frozen=True, slots=True)
class Figure:
    """The latencies of one class of terms or lists.

    `alternative` says what answered, over HTTP if it is `OURS` and otherwise as plain SQL.
    `refused` counts 503 answers, `incomplete` those with fewer entries than requested although
    more follow, `timed_out` aborted statements. CPU is None if it was not measured.
    """

    kind: str
    size: int
    clients: int
    cache: str
    alternative: str
    latencies: Latencies
    refused: int = 0
    incomplete: int = 0
    timed_out: int = 0
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
class Relation:
    """A table or an index: its size, and the time to build an index (None: not measured)."""

    name: str
    size_bytes: int
    build_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Writes:
    """The cost of a new thought.

    The first two are PostgreSQL's CPU for an INSERT, with and without the search index, including
    the flush of the index's pending list. The others are whole requests.
    """

    insert_cpu_us: float
    insert_without_index_cpu_us: float
    post_service_cpu_us: float
    post_postgres_cpu_us: float
    post: Latencies


@dataclass(frozen=True, slots=True)
class Storm:
    """Many clients with the costliest term at once, and how long others wait meanwhile."""

    kind: str
    term: str
    username: str
    clients: int
    seconds: float
    answered: int
    refused: int
    searches: Latencies
    others_idle: Latencies
    others: Latencies
    others_refused: int


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Everything measured at one size.

    `load_seconds` has the time of each part of loading up to this size; `os_cache_dropped` says
    whether "cold" includes the operating system's file cache.
    """

    machine: Machine
    size: int
    load_seconds: dict[str, float]
    os_cache_dropped: bool
    relations: list[Relation]
    terms: list[TermFigure]
    figures: list[Figure]
    costs: list[CostFigure]
    storm: Storm
    writes: Writes


def median_ms(seconds: Sequence[float]) -> float:
    """Return the median of some times; 0 if there are none."""
    return milliseconds(statistics.median(seconds)) if seconds else 0.0


def milliseconds(seconds: float) -> float:
    """Return seconds as milliseconds, rounded to the microsecond."""
    return round(seconds * 1000, 3)
