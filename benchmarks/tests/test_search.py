"""The search benchmark, run briefly on a few thoughts, so that it keeps working."""

from pathlib import Path

import msgspec
import pytest

from benchmarks.search.alternatives import FULL_TEXT, ILIKE, TRIGRAMS
from benchmarks.search.asks import FEED
from benchmarks.search.figures import OURS, SearchResult
from benchmarks.search.ours import MIX, MIX_CLIENTS, Effort
from benchmarks.search.picture import draw
from benchmarks.search.report import figures_of, search_text
from benchmarks.search.run import measure_search
from benchmarks.search.sample import Sample
from benchmarks.search.terms import MIDDLING_WORDS, RARE_WORDS

SIZE = 2000
EFFORT = Effort(
    requests=8,
    mixed=100,
    costs=20,
    shared=50,
    kind_seconds=5,
    cold_starts=1,
    empties_os_cache=False,
    storm_seconds=0.5,
    sample=SIZE,
)


@pytest.fixture(scope="module")
def result() -> SearchResult:
    """The result of the benchmark."""
    *_, found = measure_search(sizes=[SIZE], kept=None, effort=EFFORT, say=lambda _: None)
    return found


def test_classes_are_measured_warm_cold_and_with_many_clients(result: SearchResult) -> None:
    """A class of searches has figures for each way to measure it."""
    warm, cold = figures_of(result), figures_of(result, cache="cold")
    many = figures_of(result, clients=MIX_CLIENTS)

    assert warm[MIDDLING_WORDS].latencies.requests >= EFFORT.requests
    assert warm[MIDDLING_WORDS].latencies.worst_ms > 0
    assert set(cold) <= set(warm)
    assert many[MIX].latencies.requests == EFFORT.mixed


def test_feeds_are_measured(result: SearchResult) -> None:
    """Three lists, three pages of each."""
    assert sum(kind.startswith(FEED) for kind in figures_of(result)) == 9


def test_alternatives_are_measured_on_the_same_classes(result: SearchResult) -> None:
    """Rare words are searched for in all four ways."""
    names = (OURS, ILIKE, TRIGRAMS, FULL_TEXT)

    assert all(RARE_WORDS in figures_of(result, alternative=name) for name in names)


def test_terms_are_kept_with_their_matches(result: SearchResult) -> None:
    """A term that occurs once in the sample, here the whole table, is counted at least once."""
    matches = [term.matches for term in result.terms if term.kind == RARE_WORDS]

    assert matches
    assert min(matches) >= 1


def test_no_index_of_an_alternative_is_left(result: SearchResult) -> None:
    """The result has the service's indexes, and the two that were built for the comparison."""
    names = [relation.name for relation in result.relations]

    assert "thoughts_search" in names
    assert "thoughts_alternative" not in names
    assert sum(name.startswith("index of") for name in names) == 2


def test_result_is_kept_whole(result: SearchResult) -> None:
    """A result read from the file equals the one that was written."""
    assert msgspec.json.decode(msgspec.json.encode(result), type=SearchResult) == result


def test_tables_name_every_class(result: SearchResult) -> None:
    """Every measured class is in the report."""
    text = search_text([result])

    assert all(f"| {kind} " in text for kind in figures_of(result))


def test_picture_is_the_same_for_the_same_result(result: SearchResult, tmp_path: Path) -> None:
    """Drawing twice changes no byte."""
    paths = [tmp_path / "first.svg", tmp_path / "second.svg"]
    for path in paths:
        draw([result], path)

    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert b"full-text search" in paths[0].read_bytes()


def test_rare_terms_stand_in_one_text() -> None:
    """A word that is also part of a word in another text is not rare."""
    sample = Sample(["the cat", "the concatenation", "the dog"])

    assert set(sample.rare(r"\w+")) == {"concatenation", "dog"}


def test_common_terms_come_first() -> None:
    """The most frequent terms are chosen, counted once per text."""
    sample = Sample(["a b b b", "a", "a c"])

    assert sample.common(r"\w", 1) == ("a",)


def test_absent_terms_stand_nowhere() -> None:
    """Candidates that are found are left out."""
    assert Sample(["abc"]).absent(["b", "x", "y"], 1) == ("x",)
