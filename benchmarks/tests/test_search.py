"""The search benchmark, run briefly on a few thoughts, so that it keeps working."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from benchmarks.client import Ask
from benchmarks.loading import load_thoughts
from benchmarks.search.asks import FEED
from benchmarks.search.database import matches_of
from benchmarks.search.figures import SearchResult
from benchmarks.search.measures import MIX, MIX_CLIENTS
from benchmarks.search.report import search_text
from benchmarks.search.run import AFTER_NEW, MEASURED_AFTER_NEW, Effort, measure_search

SIZE = 2000
EFFORT = Effort(requests=8, mixed=100, new_thoughts=50, cold_starts=1, empties_os_cache=False)


@pytest.fixture(scope="module")
def result() -> SearchResult:
    """The result of the benchmark."""
    *_, found = measure_search(sizes=[SIZE], kept=None, effort=EFFORT)
    return found


def test_classes_are_measured_warm_cold_and_with_many_clients(result: SearchResult) -> None:
    """A class of searches has figures for each way to measure it."""
    warm, cold = result.by_kind(), result.by_kind(cache="cold")
    many = result.by_kind(clients=MIX_CLIENTS)

    assert warm["word, middling"].latencies.requests >= EFFORT.requests
    assert warm["word, middling"].latencies.worst_ms > 0
    assert set(cold) <= set(warm)
    assert many[MIX].latencies.requests == EFFORT.mixed


def test_feeds_are_measured(result: SearchResult) -> None:
    """Three lists, three pages of each."""
    assert sum(kind.startswith(FEED) for kind in result.by_kind()) == 9


def test_words_are_searched_for_again_after_new_thoughts(result: SearchResult) -> None:
    """Rare words and those in 1 % of the thoughts have figures before and after."""
    kinds = result.by_kind()

    assert all(kind in kinds for kind in MEASURED_AFTER_NEW)
    assert all(f"{kind}, {AFTER_NEW}" in kinds for kind in MEASURED_AFTER_NEW)


def test_terms_are_kept_with_their_matches(result: SearchResult) -> None:
    """Terms have the number of thoughts that contain them, their frequency as chosen."""
    matches = {term.term: term.matches for term in result.terms if not term.username}

    assert matches["the"] > 10 * matches["because"] > 0
    assert matches["gnisrun"] == 0


def test_result_is_kept_whole(result: SearchResult) -> None:
    """A result read from the file equals the one that was written."""
    assert msgspec.json.decode(msgspec.json.encode(result), type=SearchResult) == result


def test_tables_name_every_class(result: SearchResult) -> None:
    """Every measured class is in the report."""
    text = search_text([result])

    assert all(f"| {kind} " in text for kind in result.by_kind())


def test_kept_numbers_of_matches_are_not_counted_again(database_url: str, tmp_path: Path) -> None:
    """Only terms that the file does not have are counted; then it has them too."""
    kept = tmp_path / "matches.json"
    kept.write_text('[["the", "", 4711]]')
    asyncio.run(load_thoughts(database_url, 500))
    asks = [Ask("", b"", term) for term in ("the", "and")]

    counted = matches_of(database_url, asks, None)
    known = matches_of(database_url, asks, kept)

    assert known == {("the", ""): 4711, ("and", ""): counted["and", ""]}
    assert matches_of("postgresql://nowhere/", asks, kept) == known
