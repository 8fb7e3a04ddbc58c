"""Measures search and feeds in one database that grows from size to size."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path

from benchmarks.client import Ask, Observation, send
from benchmarks.generator import MAX_CHARACTERS
from benchmarks.machine import this_machine
from benchmarks.measuring import Latencies
from benchmarks.scenarios import share_asks
from benchmarks.search.asks import author_asks, deep_asks, feed_asks, term_asks
from benchmarks.search.database import (
    QUIET_AUTHOR,
    Excerpt,
    count_matches,
    load_up_to,
    take_excerpt,
)
from benchmarks.search.figures import Figure, SearchResult, TermFigure
from benchmarks.search.measures import Effort, Subject, measure_cold, measure_mix, measure_warm
from benchmarks.search.system import search_stack, token_of
from benchmarks.search.terms import ONE_PERCENT_WORDS, RARE_WORDS, Kind, choose_kinds
from local.console import say, step

AFTER_NEW = "after new thoughts"
# Whoever shares the new thoughts has a lower id than the generated users.
_SHARER = (1, "somebody")


def measure_search(
    *, sizes: Sequence[int], kept: Path | None, effort: Effort
) -> Iterator[SearchResult]:
    """Yield the result of each size, the smallest first.

    Sizes smaller than the database already in the folder `kept` are skipped.
    """
    say("Starting the system.")
    with search_stack(kept, max(sizes)) as stack:
        kinds: list[Kind] = []
        for size in sorted(sizes):
            say(f"{size:,} thoughts:")
            subject = Subject(stack, size, effort)
            if not asyncio.run(load_up_to(subject.database_url, size)):
                say("There are more already.")
                continue
            excerpt = asyncio.run(take_excerpt(subject.database_url, effort.sample))
            # The same terms at every size, so that the figures are comparable.
            kinds = kinds or choose_kinds(excerpt.texts)
            yield _measure(subject, excerpt, kinds)


def _measure(subject: Subject, excerpt: Excerpt, kinds: Sequence[Kind]) -> SearchResult:
    searches = asyncio.run(_searches(subject, excerpt, kinds))
    everything = searches + asyncio.run(_feeds(subject, excerpt))
    with step(f"Counting the matches of {len(searches)} searches"):
        matches = asyncio.run(count_matches(subject.database_url, searches))
    figures, observations = measure_warm(subject, everything)
    figures += measure_mix(subject, searches)
    cold, os_cache_dropped = measure_cold(subject, everything)
    return SearchResult(
        machine=asyncio.run(this_machine(subject.database_url)),
        size=subject.size,
        os_cache_dropped=os_cache_dropped,
        terms=_term_figures(observations, matches),
        figures=[*figures, *cold, *_after_new_thoughts(subject, excerpt, searches)],
    )


async def _searches(subject: Subject, excerpt: Excerpt, kinds: Sequence[Kind]) -> list[Ask]:
    return [
        *term_asks(kinds),
        *author_asks(kinds, prolific=excerpt.prolific, quiet=QUIET_AUTHOR),
        *await deep_asks(subject.url, kinds),
    ]


async def _feeds(subject: Subject, excerpt: Excerpt) -> list[Ask]:
    token = token_of(subject.stack, excerpt.prolific_id, excerpt.prolific)
    return await feed_asks(subject.database_url, prolific_id=excerpt.prolific_id, token=token)


def _after_new_thoughts(
    subject: Subject, excerpt: Excerpt, searches: Sequence[Ask]
) -> list[Figure]:
    """Share thoughts that contain none of some terms, then search for these."""
    asks = [
        replace(ask, kind=f"{ask.kind}, {AFTER_NEW}")
        for ask in searches
        if ask.kind in (RARE_WORDS, ONE_PERCENT_WORDS)
    ]
    without = [text for text in excerpt.texts if not any(ask.term in text for ask in asks)]
    # They are folded, which can make a text longer than one may be.
    texts = islice(cycle(text[:MAX_CHARACTERS] for text in without), subject.effort.new_thoughts)
    headers = {"Authorization": token_of(subject.stack, *_SHARER)}
    with step(f"Sharing {subject.effort.new_thoughts:,} thoughts"):
        asyncio.run(send(subject.url, share_asks(texts, headers)))
    return measure_warm(subject, asks)[0]


def _term_figures(
    observations: Sequence[Observation], matches: Mapping[tuple[str, str], int]
) -> list[TermFigure]:
    terms: dict[tuple[str, str, str], list[Observation]] = defaultdict(list)
    for one in observations:
        if one.ask.term:
            terms[one.ask.kind, one.ask.term, one.ask.username].append(one)
    figures = []
    for (kind, term, username), own in terms.items():
        times = Latencies.of(own)
        found = matches[term, username]
        figures.append(TermFigure(kind, term, username, found, times.p50_ms, times.worst_ms))
    return figures
