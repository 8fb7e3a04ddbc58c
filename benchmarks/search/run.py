"""Measures search and feeds in one database that grows from size to size."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from benchmarks.client import Ask, Observation, send
from benchmarks.generator import FIRST_USER_ID, generate_rows
from benchmarks.machine import this_machine
from benchmarks.measuring import Latencies
from benchmarks.scenarios import share_asks
from benchmarks.search.asks import PROLIFIC_AUTHOR, feed_asks, search_asks
from benchmarks.search.database import load_up_to, matches_of
from benchmarks.search.figures import Figure, SearchResult, TermFigure
from benchmarks.search.measures import measure_cold, measure_mix, measure_warm
from benchmarks.search.system import authorization_of, search_stack
from local.stack import Stack
from tooling.console import say, step

AFTER_NEW = "after new thoughts"
MEASURED_AFTER_NEW = ("word, rare", "word, in 1 %")


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is sent: requests for a class and for the mix, new thoughts, cold starts."""

    requests: int = 200
    mixed: int = 4000
    new_thoughts: int = 10_000
    cold_starts: int = 8
    empties_os_cache: bool = True


def measure_search(
    *, sizes: Sequence[int], kept: Path | None, effort: Effort
) -> Iterator[SearchResult]:
    """Yield the result of each size, the smallest first.

    Sizes smaller than the database already in the folder `kept` are skipped.
    """
    say("Starting the system.")
    with search_stack(kept, max(sizes)) as stack:
        for size in sorted(sizes):
            say(f"{size:,} thoughts:")
            if asyncio.run(load_up_to(stack.owner_urls["thoughts"], size)):
                counts = kept / f"matches-{size}.json" if kept else None
                yield _measure(stack, size, effort, counts)
            else:
                say("There are more already.")


def _measure(stack: Stack, size: int, effort: Effort, counts: Path | None) -> SearchResult:
    database_url = stack.owner_urls["thoughts"]
    prolific = authorization_of(stack, FIRST_USER_ID, PROLIFIC_AUTHOR)
    searches = asyncio.run(search_asks(stack.urls["thoughts"]))
    everything = searches + asyncio.run(feed_asks(database_url, prolific))
    matches = matches_of(database_url, searches, counts)
    warm, observations = measure_warm(stack, everything, requests=effort.requests)
    mix = measure_mix(stack, searches, requests=effort.mixed)
    cold, os_cache_dropped = measure_cold(
        stack, everything, starts=effort.cold_starts, empties_os_cache=effort.empties_os_cache
    )
    after = _measure_after_new_thoughts(stack, searches, effort)
    return SearchResult(
        machine=this_machine(),
        size=size,
        os_cache_dropped=os_cache_dropped,
        terms=_term_figures(observations, matches),
        figures=[*warm, *mix, *cold, *after],
    )


def _measure_after_new_thoughts(
    stack: Stack, searches: Sequence[Ask], effort: Effort
) -> list[Figure]:
    """Share thoughts that contain none of some terms, then search for these."""
    asks = [
        replace(ask, kind=f"{ask.kind}, {AFTER_NEW}")
        for ask in searches
        if ask.kind in MEASURED_AFTER_NEW
    ]
    texts = (
        text
        for _, _, text, _ in generate_rows(2 * effort.new_thoughts, seed=1)
        if not any(ask.term in text.casefold() for ask in asks)
    )
    shared = share_asks(islice(texts, effort.new_thoughts), authorization_of(stack, 1, "somebody"))
    with step(f"Sharing {effort.new_thoughts:,} thoughts"):
        asyncio.run(send(stack.urls["thoughts"], shared))
    return measure_warm(stack, asks, requests=effort.requests)[0]


def _term_figures(
    observations: Sequence[Observation], matches: Mapping[tuple[str, str], int]
) -> list[TermFigure]:
    terms: dict[tuple[str, str, str], list[Observation]] = defaultdict(list)
    for one in observations:
        if one.ask.term:
            terms[one.ask.kind, one.ask.term, one.ask.username].append(one)
    figures = []
    for (kind, term, username), own in terms.items():
        times, found = Latencies.of(own), matches[term, username]
        figures.append(TermFigure(kind, term, username, found, times.p50_ms, times.worst_ms))
    return figures
