"""Measures search and feeds in one database that grows from size to size."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path

from benchmarks.generator import MAX_CHARACTERS
from benchmarks.machine import this_machine
from benchmarks.requests_run import Say
from benchmarks.search.alternatives import ALTERNATIVES, measure_alternative
from benchmarks.search.asks import PROLIFIC_RARE, author_asks, deep_asks, feed_asks, term_asks
from benchmarks.search.costs import USER, measure_costs
from benchmarks.search.database import (
    QUIET_AUTHOR,
    Excerpt,
    count_matches,
    load_up_to,
    relations,
    take_excerpt,
)
from benchmarks.search.figures import (
    Figure,
    Relation,
    SearchResult,
    Storm,
    TermFigure,
    Writes,
    median_ms,
    milliseconds,
)
from benchmarks.search.load import Ask, Observation, send
from benchmarks.search.ours import (
    Effort,
    Subject,
    figure_of,
    measure_cold,
    measure_mix,
    measure_warm,
)
from benchmarks.search.storm import measure_storm
from benchmarks.search.system import backend_of, search_stack, token_of
from benchmarks.search.terms import MIDDLING_WORDS, RARE_WORDS, Kind, choose_kinds
from benchmarks.search.writes import measure_writes
from benchmarks.visitor import log_in

AFTER_WRITES = "word, rare, after new thoughts"


def measure_search(
    *, sizes: Sequence[int], kept: Path | None, effort: Effort, say: Say
) -> Iterator[SearchResult]:
    """Yield the results of each size, the smallest first: without and with the alternatives.

    Sizes smaller than the database already in the folder `kept` are skipped.
    """
    say("Starting the system.")
    with search_stack(kept, max(sizes)) as stack:
        database_url = stack.database_urls["thoughts"]
        kinds: list[Kind] = []
        for size in sorted(sizes):
            say(f"Loading up to {size:,} thoughts.")
            seconds = asyncio.run(load_up_to(database_url, size, say))
            if seconds is None:
                say("There are more already.")
                continue
            excerpt = asyncio.run(take_excerpt(database_url, effort.sample))
            # The same terms at every size, so that the figures are comparable.
            kinds = kinds or choose_kinds(excerpt.texts)
            yield from _measure(Subject(stack, size, effort, say), excerpt, kinds, seconds)


def _measure(
    subject: Subject, excerpt: Excerpt, kinds: Sequence[Kind], load_seconds: Mapping[str, float]
) -> Iterator[SearchResult]:
    """Measure one part after the other; the alternatives, which take longest, come last."""
    searches = asyncio.run(_searches(subject, excerpt, kinds))
    everything = searches + asyncio.run(_feeds(subject, excerpt))
    subject.say(f"{subject.size:,}: counting the matches of {len(searches)} searches.")
    matches = asyncio.run(count_matches(subject.database_url, searches))
    figures, observations = measure_warm(subject, everything)
    figures += measure_mix(subject, searches)
    subject.say(f"{subject.size:,}: whole requests and pages.")
    words = next(kind.terms for kind in kinds if kind.name == MIDDLING_WORDS)
    costs = measure_costs(subject.stack, words, requests=subject.effort.costs)
    cold, os_cache_dropped = measure_cold(subject, everything)
    found = asyncio.run(relations(subject.database_url, load_seconds))
    terms = _term_figures(observations, matches)
    storm, writes, after = asyncio.run(_storm_and_writes(subject, excerpt, searches, terms))
    result = SearchResult(
        machine=asyncio.run(this_machine(subject.database_url)),
        size=subject.size,
        load_seconds=dict(load_seconds),
        os_cache_dropped=os_cache_dropped,
        relations=found,
        terms=terms,
        figures=[*figures, after, *cold],
        costs=costs,
        storm=storm,
        writes=writes,
    )
    yield result
    others, their_indexes = _alternatives(subject, kinds, searches)
    yield replace(result, figures=result.figures + others, relations=found + their_indexes)


async def _searches(subject: Subject, excerpt: Excerpt, kinds: Sequence[Kind]) -> list[Ask]:
    return [
        *term_asks(kinds),
        *author_asks(kinds, prolific=excerpt.prolific, quiet=QUIET_AUTHOR),
        *await deep_asks(subject.url, kinds),
    ]


async def _feeds(subject: Subject, excerpt: Excerpt) -> list[Ask]:
    token = token_of(subject.stack, excerpt.prolific_id, excerpt.prolific)
    return await feed_asks(subject.database_url, prolific_id=excerpt.prolific_id, token=token)


def _alternatives(
    subject: Subject, kinds: Sequence[Kind], searches: Sequence[Ask]
) -> tuple[list[Figure], list[Relation]]:
    of_words = {kind.name: kind.of_words for kind in kinds if kind.compared}
    of_words[PROLIFIC_RARE] = True
    figures: list[Figure] = []
    indexes: list[Relation] = []
    for alternative in ALTERNATIVES:
        subject.say(f"{subject.size:,}: {alternative.name}.")
        asks = [
            ask
            for ask in searches
            if ask.kind in of_words and (of_words[ask.kind] or not alternative.of_words_only)
        ]
        found, index = asyncio.run(
            measure_alternative(subject.database_url, alternative, asks, subject.size)
        )
        figures += found
        indexes += [index] if index else []
    return figures, indexes


def _term_figures(
    observations: Sequence[Observation], matches: Mapping[tuple[str, str], int]
) -> list[TermFigure]:
    seconds: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for one in observations:
        seconds[one.ask.kind, one.ask.term, one.ask.username].append(one.seconds)
    return [
        TermFigure(
            kind, term, username, matches[term, username], median_ms(own), milliseconds(max(own))
        )
        for (kind, term, username), own in seconds.items()
        if term
    ]


async def _storm_and_writes(
    subject: Subject, excerpt: Excerpt, searches: Sequence[Ask], terms: Sequence[TermFigure]
) -> tuple[Storm, Writes, Figure]:
    """Measure a storm of the slowest term, then the writes, then a search after them."""
    effort, url = subject.effort, subject.url
    costliest = max(terms, key=lambda term: term.p50_ms)
    ask = next(
        ask
        for ask in searches
        if (ask.kind, ask.term, ask.username)
        == (costliest.kind, costliest.term, costliest.username)
    )
    # They are folded, which can make a text longer than one may be.
    texts = [text[:MAX_CHARACTERS] for text in islice(cycle(excerpt.texts), effort.shared)]
    token = await log_in(subject.stack.urls["users"], username=USER, password=USER)
    subject.say(f"{subject.size:,}: storm of {costliest.kind} {costliest.term[:40]!r}.")
    storm = await measure_storm(url, ask, seconds=effort.storm_seconds, texts=texts, token=token)
    subject.say(f"{subject.size:,}: writes.")
    writes = await measure_writes(
        subject.database_url,
        backend_of(subject.stack),
        subject.stack.postgres.process.pid,
        texts=texts,
        token=token,
    )
    rare = [ask for ask in searches if ask.kind == RARE_WORDS]
    after = await send(url, islice(cycle(rare), effort.requests if rare else 0))
    return storm, writes, figure_of(subject, AFTER_WRITES, after)
