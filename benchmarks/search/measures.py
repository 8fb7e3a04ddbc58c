"""Sends the requests of the search benchmark: warm, from many clients, cold."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice

import msgspec

from benchmarks.client import Answer, Ask, Observation, send
from benchmarks.measuring import CpuClock, Latencies
from benchmarks.search.asks import LIMIT
from benchmarks.search.figures import Figure
from benchmarks.search.system import make_cold
from local.console import say, step
from local.stack import Stack

MIX = "mix of all searches"
MIX_CLIENTS = 16
# After that a class, or the mix, ends.
CLASS_SECONDS = 30
MIX_SECONDS = 120

_SEED = 4


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is sent: requests for a class and for the mix, and new thoughts.

    `cold_starts` is the number of terms per class that are searched for cold. Terms are taken from
    the first `sample` thoughts.
    """

    requests: int = 200
    mixed: int = 4000
    new_thoughts: int = 10_000
    cold_starts: int = 8
    empties_os_cache: bool = True
    sample: int = 100_000


@dataclass(frozen=True, slots=True)
class Subject:
    """The system under test: running, with `size` thoughts."""

    stack: Stack
    size: int
    effort: Effort

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
        asyncio.run(send(subject.url, own))
        services = subject.stack.services
        clocks = [CpuClock(services["thoughts"].pid), CpuClock(subject.stack.postgres.process.pid)]
        requests = islice(cycle(own), max(subject.effort.requests, len(own)))
        observed = asyncio.run(send(subject.url, requests, seconds=CLASS_SECONDS))
        service_us, postgres_us = (clock.elapsed_us() / len(observed) for clock in clocks)
        figure = _figure(subject, kind, observed)
        figures.append(replace(figure, service_cpu_us=service_us, postgres_cpu_us=postgres_us))
        observations += observed
        times = figure.latencies
        say(f"  {kind}: p50 {times.p50_ms:.1f}, p99 {times.p99_ms:.1f}, {postgres_us:.0f} us")
    return figures, observations


def measure_mix(subject: Subject, asks: Sequence[Ask]) -> list[Figure]:
    """Send the searches of all classes in a random order from many clients."""
    mixed = random.Random(_SEED).choices(asks, k=subject.effort.mixed)
    with step(f"{MIX_CLIENTS} clients"):
        observations = asyncio.run(
            send(subject.url, mixed, clients=MIX_CLIENTS, seconds=MIX_SECONDS)
        )
    together = _figure(subject, MIX, observations, clients=MIX_CLIENTS)
    return [together, *_figures(subject, observations, clients=MIX_CLIENTS)]


def measure_cold(subject: Subject, asks: Sequence[Ask]) -> tuple[list[Figure], bool]:
    """Send requests for the first time: one of each class after each start of PostgreSQL.

    The second value says whether the operating system's file cache was empty too.
    """
    kinds = list(_by_kind(asks).values())
    rounds = min(subject.effort.cold_starts, max(map(len, kinds)))
    observations: list[Observation] = []
    dropped = False
    for number in range(rounds):
        with step(f"Cold, start {number + 1} of {rounds}"):
            dropped = make_cold(subject.stack, empties_os_cache=subject.effort.empties_os_cache)
            # Each start begins with a different class.
            first = number * len(kinds) // rounds
            due = [kind[number] for kind in kinds[first:] + kinds[:first] if number < len(kind)]
            observations += asyncio.run(send(subject.url, due))
    return _figures(subject, observations, cache="cold"), dropped


def _figures(
    subject: Subject, observations: Sequence[Observation], *, clients: int = 1, cache: str = "warm"
) -> list[Figure]:
    kinds: dict[str, list[Observation]] = defaultdict(list)
    for one in observations:
        kinds[one.ask.kind].append(one)
    return [
        _figure(subject, kind, own, clients=clients, cache=cache) for kind, own in kinds.items()
    ]


def _figure(
    subject: Subject,
    kind: str,
    observations: Sequence[Observation],
    *,
    clients: int = 1,
    cache: str = "warm",
) -> Figure:
    return Figure(
        kind,
        subject.size,
        clients,
        cache,
        Latencies.of(observations),
        refused=sum(one.refused for one in observations),
        incomplete=sum(_is_incomplete(one.answer) for one in observations),
    )


def _is_incomplete(answer: Answer) -> bool:
    if 'rel="next"' not in answer.headers.get("link", ""):
        return False
    return len(msgspec.json.decode(answer.body, type=list[msgspec.Raw])) < LIMIT


def _by_kind(asks: Sequence[Ask]) -> dict[str, list[Ask]]:
    kinds: dict[str, list[Ask]] = defaultdict(list)
    for ask in asks:
        kinds[ask.kind].append(ask)
    return dict(kinds)
