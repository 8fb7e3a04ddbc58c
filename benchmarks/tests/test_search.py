"""The search benchmark, run briefly on a few thoughts, so that it keeps working."""

import msgspec
import pytest

from benchmarks.search.asks import FEED
from benchmarks.search.figures import SearchResult
from benchmarks.search.measures import MIX, MIX_CLIENTS, Effort
from benchmarks.search.report import search_text
from benchmarks.search.run import AFTER_NEW, measure_search
from benchmarks.search.sample import Sample
from benchmarks.search.terms import MIDDLING_WORDS, ONE_PERCENT_WORDS, RARE_WORDS

SIZE = 2000
EFFORT = Effort(
    requests=8, mixed=100, new_thoughts=50, cold_starts=1, empties_os_cache=False, sample=SIZE
)


@pytest.fixture(scope="module")
def result() -> SearchResult:
    """The result of the benchmark."""
    *_, found = measure_search(sizes=[SIZE], kept=None, effort=EFFORT)
    return found


def test_classes_are_measured_warm_cold_and_with_many_clients(result: SearchResult) -> None:
    """A class of searches has figures for each way to measure it."""
    warm, cold = result.by_kind(), result.by_kind(cache="cold")
    many = result.by_kind(clients=MIX_CLIENTS)

    assert warm[MIDDLING_WORDS].latencies.requests >= EFFORT.requests
    assert warm[MIDDLING_WORDS].latencies.worst_ms > 0
    assert set(cold) <= set(warm)
    assert many[MIX].latencies.requests == EFFORT.mixed


def test_feeds_are_measured(result: SearchResult) -> None:
    """Three lists, three pages of each."""
    assert sum(kind.startswith(FEED) for kind in result.by_kind()) == 9


def test_words_are_searched_for_again_after_new_thoughts(result: SearchResult) -> None:
    """Rare words and those in 1 % of the thoughts have figures before and after."""
    kinds = result.by_kind()

    assert {RARE_WORDS, ONE_PERCENT_WORDS} <= set(kinds)
    assert {f"{RARE_WORDS}, {AFTER_NEW}", f"{ONE_PERCENT_WORDS}, {AFTER_NEW}"} <= set(kinds)


def test_terms_are_kept_with_their_matches(result: SearchResult) -> None:
    """A term that occurs once in the sample, here the whole table, is counted at least once."""
    matches = [term.matches for term in result.terms if term.kind == RARE_WORDS]

    assert matches
    assert min(matches) >= 1


def test_result_is_kept_whole(result: SearchResult) -> None:
    """A result read from the file equals the one that was written."""
    assert msgspec.json.decode(msgspec.json.encode(result), type=SearchResult) == result


def test_tables_name_every_class(result: SearchResult) -> None:
    """Every measured class is in the report."""
    text = search_text([result])

    assert all(f"| {kind} " in text for kind in result.by_kind())


def test_rare_terms_stand_in_one_text() -> None:
    """A word that is also part of a word in another text is not rare."""
    sample = Sample(["the cat", "the concatenation", "the dog"])

    assert set(sample.rare(r"\w+")) == {"concatenation", "dog"}


def test_common_terms_come_first() -> None:
    """The most frequent terms are chosen, counted once per text."""
    sample = Sample(["a b b b", "a", "a c"])

    assert sample.common(r"\w", 1) == ("a",)


def test_terms_in_one_percent_are_about_as_frequent() -> None:
    """Of 1,000 texts, between 8 and 12 contain the term."""
    texts = [f"all {'ten' if number % 100 == 0 else ''} {number}" for number in range(1000)]

    assert Sample(texts).in_one_percent(r"[a-z]+") == ("ten",)


def test_absent_terms_stand_nowhere() -> None:
    """Candidates that are found are left out."""
    assert Sample(["abc"]).absent(["b", "x", "y"], 1) == ("x",)
