"""What a search learns from PostgreSQL's statistics."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from mythoughts_chassis.database import Database
from mythoughts_chassis.problems import Unavailable
from mythoughts_chassis.settings import Secret
from testkit.roles import migrate_with_roles, service_url
from testkit.thoughts_sql import Sql
from thoughts_backend import thoughts
from thoughts_backend.app import MIGRATIONS
from thoughts_backend.list_queries import Wanted
from thoughts_backend.schemas import ThoughtsQuery
from thoughts_backend.search import Search
from thoughts_backend.search_plan import PACE, Blocks

# No time limits: these tests are about which steps a search takes.
UNHURRIED = replace(PACE, step_seconds=60, page_seconds=60)

# One thought in 20 has the term: the shortest walk, over 128 thoughts, finds too few for a page of
# 20 and the next page's first; the longer one, for terms that may be common, finds enough.
TEXTS = """
    INSERT INTO thoughts (user_id, username, text)
    SELECT 1, 'bruce', CASE WHEN n % 20 = 0 THEN 'A Quokka.' ELSE 'nothing' END
    FROM generate_series(1, 4000) AS n
"""


class CountingDatabase(Database):
    """A database that counts how often a connection is taken."""

    runs = 0

    async def run(self, *arguments: Any, **options: Any) -> Any:
        self.runs += 1
        return await super().run(*arguments, **options)


@contextmanager
def prepared(url: str, analyze: str) -> Iterator[tuple[asyncio.Runner, CountingDatabase, Sql]]:
    """Yield the service's database with these texts, and a connection of the owner."""
    migrate_with_roles(url, MIGRATIONS)
    with asyncio.Runner() as runner, Sql(runner, url) as sql:
        sql.run(TEXTS)
        sql.run(f"VACUUM {analyze} thoughts")
        service = Secret(service_url(url))
        database = CountingDatabase(service, pool_size=1, application_name="tests")
        yield runner, database, sql
        database.close()


@pytest.mark.parametrize(
    ("analyze", "term", "runs"),
    [
        ("ANALYZE", "QUOK", [2, 1]),
        ("ANALYZE", "QUOKKA", [3, 2]),
        ("", "QUOK", [3, 2]),
        ("", "QU", [2, 1]),
    ],
    ids=["known", "grams meet by more than chance", "without statistics", "shorter than a gram"],
)
def test_common_term_is_found_by_walks_alone(
    new_database: Callable[[], str], analyze: str, term: str, runs: list[int]
) -> None:
    """A term that may be common takes one walk, another two; neither waits for a turn.

    The first search also reads the statistics.
    """
    with prepared(new_database(), analyze) as (runner, database, _):
        search, query = Search(at_once=0), ThoughtsQuery(search=term)
        pages, counts = [], []
        for _ in range(2):
            database.runs = 0
            pages.append(runner.run(thoughts.find(database, search, query)))
            counts.append(database.runs)

    assert PACE.first_walk // 20 < query.limit + 1 < PACE.long_walk // 20
    assert (counts, pages[0]) == (runs, pages[1])
    assert [thought.id for thought in pages[1].items] == list(range(4000, 3600, -20))


@pytest.mark.parametrize(
    ("newest_id", "found_by"), [(10_000_000, "walks"), (100_000, "index")], ids=["large", "small"]
)
def test_uncommon_short_term_is_read_where_the_index_has_many(
    new_database: Callable[[], str], newest_id: int, found_by: str
) -> None:
    """The index collects all matches of a term that is shorter than a gram.

    One thought in 250 has it. Of ten million these are so many that three walks are cheaper.
    """
    with prepared(new_database(), "ANALYZE") as (runner, database, sql):
        sql.run("TRUNCATE thoughts")
        sql.run(f"SELECT setval(pg_get_serial_sequence('thoughts', 'id'), {newest_id - 8000})")
        sql.run(TEXTS.replace("n % 20", "n % 250").replace("4000", "8000"))
        search = Search(at_once=int(found_by == "index"), pace=UNHURRIED)
        query = ThoughtsQuery(search="QU")

        page = runner.run(thoughts.find(database, search, query))

    assert [thought.id for thought in page.items] == list(range(newest_id, newest_id - 5000, -250))
    # The statistics, and three walks; or one and the index.
    assert database.runs == (4 if found_by == "walks" else 3)


def test_term_that_only_the_newest_thoughts_have_is_looked_up(
    new_database: Callable[[], str],
) -> None:
    """If the statistics say that a term is rare, what one walk finds does not lead to another."""
    with prepared(new_database(), "ANALYZE") as (runner, database, sql):
        # Quokkas become too rare for walks, and wombats are rarer.
        sql.run("DELETE FROM thoughts WHERE text = 'A Quokka.' AND id % 200 <> 0")
        sql.run("VACUUM ANALYZE thoughts")
        sql.add_thoughts(*["A wombat." if n % 10 == 0 else "nothing" for n in range(128)])
        search, query = Search(at_once=1, pace=UNHURRIED), ThoughtsQuery(search="WOMBAT")

        page = runner.run(thoughts.find(database, search, query))

    assert len(page.items) == 13
    # The statistics, a walk and the index.
    assert database.runs == 3


def test_blocks_that_fill_the_page_are_enough(new_database: Callable[[], str]) -> None:
    """Blocks are enough if they hold what earlier steps have not found; no more is searched."""
    with prepared(new_database(), "ANALYZE") as (runner, database, sql):
        sql.run("SELECT setval(pg_get_serial_sequence('thoughts', 'id'), 100000)")
        newest = sql.add_thoughts(*["A quokka."] * 6)[-1]
        wanted = Wanted("quokka", "", None, above=0, below=newest + 1, ascending=False)
        step = Blocks(PACE.near_ids, enough=21)

        found = runner.run(database.run(lambda c: step.run(c, wanted, ["quo"], 5), repeatable=True))

    assert [thought.id for thought in found.thoughts] == list(range(newest, newest - 5, -1))
    assert found.reached is not None


def test_statistics_are_read_again_after_a_failure(new_database: Callable[[], str]) -> None:
    """Statistics that could not be read are read by the next search."""
    with prepared(new_database(), "ANALYZE") as (runner, database, sql):
        search, query = Search(at_once=0), ThoughtsQuery(search="QUOK")
        sql.run("REVOKE EXECUTE ON FUNCTION search_frequencies FROM PUBLIC")
        with pytest.raises(Unavailable):
            runner.run(thoughts.find(database, search, query))
        sql.run("GRANT EXECUTE ON FUNCTION search_frequencies TO PUBLIC")
        runner.run(thoughts.find(database, search, query))
        database.runs = 0
        runner.run(thoughts.find(database, search, query))

    # One walk is enough only if the statistics are known.
    assert database.runs == 1
