"""Measures the search and the feeds of the Thoughts Backend: warm, with many clients, cold."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice

from benchmarks.measuring import CpuClock
from benchmarks.requests_run import Say
from benchmarks.search.figures import OURS, Figure
from benchmarks.search.load import Ask, Observation, latencies_of, send
from benchmarks.search.system import backend_of, make_cold
from local.stack import Stack

MIX = "mix of all searches"
MIX_CLIENTS = 16

_SEED = 4


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is sent: requests for a class, for the mix, for the costs; new thoughts.

    A class ends after `kind_seconds` at the latest, the mix after four times that. `cold_starts`
    is the number of terms per class that are searched for cold. Terms are taken from the first
    `sample` thoughts.
    """

    requests: int = 200
    mixed: int = 4000
    costs: int = 600
    shared: int = 8000
    kind_seconds: float = 30
    cold_starts: int = 8
    empties_os_cache: bool = True
    storm_seconds: float = 20
    sample: int = 100_000


@dataclass(frozen=True, slots=True)
class Subject:
    """The system under test: running, with `size` thoughts."""

    stack: Stack
    size: int
    effort: Effort
    say: Say

    @property
    def database_url(self) -> str:
        """The database of the Thoughts Backend."""
        return self.stack.database_urls["thoughts"]

    @property
    def url(self) -> str:
        """The Thoughts Backend."""
        return self.stack.urls["thoughts"]


def measure_warm(subject: Subject, asks: Sequence[Ask]) -> tuple[list[Figure], list[Observation]]:
    """Send the requests of each class in turn, after one warm-up round."""
    figures: list[Figure] = []
    observations: list[Observation] = []
    for kind, own in _by_kind(asks).items():
        figure, observed = _measure_kind(subject, kind, own)
        times = figure.latencies
        subject.say(
            f"{subject.size:,}: {kind}: p50 {times.p50_ms:.1f}, p99 {times.p99_ms:.1f}, "
            f"worst {times.worst_ms:.1f} ms, PostgreSQL {figure.postgres_cpu_us or 0:.0f} us"
        )
        figures.append(figure)
        observations += observed
    return figures, observations


def measure_mix(subject: Subject, asks: Sequence[Ask]) -> list[Figure]:
    """Send the searches of all classes in a random order from many clients."""
    subject.say(f"{subject.size:,}: {MIX_CLIENTS} clients.")
    mixed = random.Random(_SEED).choices(asks, k=subject.effort.mixed)
    seconds = subject.effort.kind_seconds * 4
    observations = asyncio.run(send(subject.url, mixed, clients=MIX_CLIENTS, seconds=seconds))
    together = figure_of(subject, MIX, observations, clients=MIX_CLIENTS)
    kinds = defaultdict(list)
    for one in observations:
        kinds[one.ask.kind].append(one)
    each = [figure_of(subject, kind, own, clients=MIX_CLIENTS) for kind, own in kinds.items()]
    return [together, *each]


def measure_cold(subject: Subject, asks: Sequence[Ask]) -> tuple[list[Figure], bool]:
    """Send requests for the first time: one of each class after each start of PostgreSQL.

    The second value says whether the operating system's file cache was empty too.
    """
    kinds = list(_by_kind(asks).values())
    rounds = min(subject.effort.cold_starts, max(map(len, kinds)))
    observations: dict[str, list[Observation]] = defaultdict(list)
    dropped = False
    for number in range(rounds):
        subject.say(f"{subject.size:,}: cold, start {number + 1} of {rounds}.")
        dropped = make_cold(subject.stack, empties_os_cache=subject.effort.empties_os_cache)
        # Each start begins with a different class.
        first = number * len(kinds) // rounds
        due = [kind[number] for kind in kinds[first:] + kinds[:first] if number < len(kind)]
        for one in asyncio.run(send(subject.url, due)):
            observations[one.ask.kind].append(one)
    figures = [figure_of(subject, kind, own, cache="cold") for kind, own in observations.items()]
    return figures, dropped


def figure_of(
    subject: Subject,
    kind: str,
    observations: Sequence[Observation],
    *,
    clients: int = 1,
    cache: str = "warm",
) -> Figure:
    """Summarize how requests were answered."""
    return Figure(
        kind,
        subject.size,
        clients,
        cache,
        OURS,
        latencies_of(observations),
        refused=sum(one.refused for one in observations),
        incomplete=sum(one.incomplete for one in observations),
    )


def _measure_kind(
    subject: Subject, kind: str, asks: Sequence[Ask]
) -> tuple[Figure, list[Observation]]:
    effort, backend = subject.effort, backend_of(subject.stack)
    asyncio.run(send(subject.url, asks))
    clocks = [CpuClock([backend.pid]), CpuClock([subject.stack.postgres.process.pid])]
    requests = islice(cycle(asks), max(effort.requests, len(asks)))
    observations = asyncio.run(send(subject.url, requests, seconds=effort.kind_seconds))
    service_us, postgres_us = (
        clock.elapsed_seconds() * 1e6 / len(observations) for clock in clocks
    )
    figure = figure_of(subject, kind, observations)
    return replace(figure, service_cpu_us=service_us, postgres_cpu_us=postgres_us), observations


def _by_kind(asks: Sequence[Ask]) -> dict[str, list[Ask]]:
    kinds: dict[str, list[Ask]] = defaultdict(list)
    for ask in asks:
        kinds[ask.kind].append(ask)
    return dict(kinds)
