from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from benchmarks.generator import generate_rows
from benchmarks.loading import add_thoughts, load_thoughts
from benchmarks.tests.table import definitions_of, indexes_of, rows_of
from tooling.failures import Failure


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

    await load_thoughts(database_url, 10, start=1000)

    assert await indexes_of(database_url) == before


async def test_each_part_is_a_step(database_url: str) -> None:
    """Copying and building each index begin and end one after the other."""
    seen: list[str] = []

    @contextmanager
    def step(label: str) -> Iterator[None]:
        seen.append(label)
        yield
        seen.append("done")

    await add_thoughts(database_url, 100, step=step)

    assert seen[:2] == ["Copying", "done"]
    assert "Building the index thoughts_search" in seen
    assert seen[1::2] == ["done"] * (len(seen) // 2)


async def test_database_without_the_table_is_an_error(new_database: Callable[[], str]) -> None:
    """The message says how to create the table."""
    with pytest.raises(Failure, match="migrate"):
        await load_thoughts(new_database(), 10)
