from collections.abc import Callable

import pytest

from benchmarks.generator import generate_rows
from benchmarks.loading import LoadError, add_thoughts, load_thoughts
from benchmarks.tests.table import definitions_of, indexes_of, rows_of


async def test_table_has_what_was_asked_for(database_url: str) -> None:
    """The table has the requested number of thoughts, as they were generated."""
    await load_thoughts(database_url, 2000)

    assert await rows_of(database_url) == list(generate_rows(2000))


async def test_load_goes_on_where_another_ended(database_url: str) -> None:
    """Two loads give the same as a single load of both sizes."""
    await load_thoughts(database_url, 500)
    await load_thoughts(database_url, 700, start=500)

    assert await rows_of(database_url) == list(generate_rows(1200))


async def test_indexes_are_the_same_as_before(database_url: str) -> None:
    """Every index is rebuilt as the migrations created it."""
    before = await definitions_of(database_url)

    await load_thoughts(database_url, 500)

    assert await definitions_of(database_url) == before


async def test_few_thoughts_leave_the_indexes_in_place(database_url: str) -> None:
    """If there are many thoughts already, rebuilding the indexes would take longer."""
    await load_thoughts(database_url, 1000)
    before = await indexes_of(database_url)

    loaded = await load_thoughts(database_url, 10, start=1000)

    assert loaded.index_seconds is None
    assert await indexes_of(database_url) == before


async def test_each_part_is_shown_from_start_to_end(database_url: str) -> None:
    """The progress shows the copying and each index from start to end."""
    seen: dict[str, list[float]] = {}

    await add_thoughts(
        database_url, 6000, show=lambda label, share: seen.setdefault(label, []).append(share)
    )

    assert next(iter(seen)) == "Copying"
    assert "Making the index thoughts_search" in seen
    assert all(shares == sorted(shares) for shares in seen.values())
    assert all((shares[0], shares[-1]) == (0, 1) for shares in seen.values())


async def test_database_without_the_table_is_an_error(new_database: Callable[[], str]) -> None:
    """The message says how to create the table."""
    with pytest.raises(LoadError, match="migrate"):
        await load_thoughts(new_database(), 10)
