"""Sends the requests of the search benchmark: warm, from many clients, cold."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import cycle, islice

import msgspec

from benchmarks.client import Answer, Ask, Observation, send
from benchmarks.measuring import CpuClock, Latencies
from benchmarks.search.asks import LIMIT
from benchmarks.search.figures import Figure
from benchmarks.search.system import make_cold
from local.stack import Stack
from tooling.console import say, step

MIX = "mix of all searches"
MIX_CLIENTS = 16
# The time limits of a class and of the mix.
CLASS_SECONDS = 30
MIX_SECONDS = 120

_SEED = 4


def measure_warm(
    stack: Stack, asks: Sequence[Ask], *, requests: int
) -> tuple[list[Figure], list[Observation]]:
    """Send the requests of each class in turn, at least `requests`, after one warm-up round."""
    figures: list[Figure] = []
    observations: list[Observation] = []
    url, service, postgres = stack.urls["thoughts"], stack.services["thoughts"], stack.postgres
    for kind, own in _by_kind(asks).items():
        asyncio.run(send(url, own))
        clocks = [CpuClock(service.pid), CpuClock(postgres.process.pid)]
        repeated = islice(cycle(own), max(requests, len(own)))
        observed = asyncio.run(send(url, repeated, seconds=CLASS_SECONDS))
        service_us, postgres_us = (clock.elapsed_us() / len(observed) for clock in clocks)
        figure = _figure(kind, observed)
        figures.append(replace(figure, service_cpu_us=service_us, postgres_cpu_us=postgres_us))
        observations += observed
        say(f"  {kind}: p50 {figure.latencies.p50_ms:.1f} ms, PostgreSQL {postgres_us:.0f} us")
    return figures, observations


def measure_mix(stack: Stack, asks: Sequence[Ask], *, requests: int) -> list[Figure]:
    """Send searches of all classes in a random order from many clients."""
    mixed = random.Random(_SEED).choices(asks, k=requests)
    clients, url = MIX_CLIENTS, stack.urls["thoughts"]
    with step(f"{clients} clients"):
        observations = asyncio.run(send(url, mixed, clients=clients, seconds=MIX_SECONDS))
    together = _figure(MIX, observations, clients=clients)
    return [together, *_figures(observations, clients=clients)]


def measure_cold(
    stack: Stack, asks: Sequence[Ask], *, starts: int, empties_os_cache: bool
) -> tuple[list[Figure], bool]:
    """Send requests for the first time: one of each class after each start of PostgreSQL.

    The second value says whether the operating system's file cache was empty too.
    """
    observations: list[Observation] = []
    dropped = False
    for number in range(starts):
        with step(f"Cold, start {number + 1} of {starts}"):
            dropped = make_cold(stack, empties_os_cache=empties_os_cache)
            due = [own[number % len(own)] for own in _by_kind(asks).values()]
            random.Random(number).shuffle(due)
            observations += asyncio.run(send(stack.urls["thoughts"], due))
    return _figures(observations, cache="cold"), dropped


def _by_kind(asks: Iterable[Ask]) -> dict[str, list[Ask]]:
    kinds: dict[str, list[Ask]] = defaultdict(list)
    for ask in asks:
        kinds[ask.kind].append(ask)
    return kinds


def _figures(
    observations: Iterable[Observation], *, clients: int = 1, cache: str = "warm"
) -> list[Figure]:
    kinds: dict[str, list[Observation]] = defaultdict(list)
    for one in observations:
        kinds[one.ask.kind].append(one)
    return [_figure(kind, own, clients=clients, cache=cache) for kind, own in kinds.items()]


def _figure(
    kind: str, observations: Sequence[Observation], *, clients: int = 1, cache: str = "warm"
) -> Figure:
    return Figure(
        kind,
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
