"""What a search learns from PostgreSQL's statistics."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from mythoughts_chassis.database import Database
from mythoughts_chassis.settings import Secret
from testkit.roles import migrate_with_roles, service_url
from testkit.thoughts_sql import Sql
from thoughts_backend import thoughts
from thoughts_backend.app import MIGRATIONS
from thoughts_backend.schemas import ThoughtsQuery
from thoughts_backend.search import Search
from thoughts_backend.search_plan import PACE

# One thought in 20 has the term: the shortest walk, over 128 thoughts, finds too few for a page of
# 20 and the next page's first; the one for common terms, over 512, finds enough.
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


@pytest.mark.parametrize(
    ("analyze", "term", "runs"),
    [("ANALYZE", "QUOKKA", [2, 1]), ("", "QUOKKA", [3, 2]), ("", "QU", [2, 1])],
    ids=["known by statistics", "found out by the first walk", "shorter than a gram"],
)
def test_common_term_is_found_by_walks_alone(
    new_database: Callable[[], str], analyze: str, term: str, runs: list[int]
) -> None:
    """A term that may be common takes one walk, another two; neither waits for a turn.

    The first search also reads the statistics.
    """
    url = new_database()
    migrate_with_roles(url, MIGRATIONS)
    with asyncio.Runner() as runner, Sql(runner, url) as sql:
        sql.run(TEXTS)
        sql.run(f"VACUUM {analyze} thoughts")
        service = Secret(service_url(url))
        database = CountingDatabase(service, pool_size=1, application_name="tests")
        runner.run(database.open())
        search, query = Search(at_once=0), ThoughtsQuery(search=term)
        pages, counts = [], []
        for _ in range(2):
            database.runs = 0
            pages.append(runner.run(thoughts.find(database, search, query)))
            counts.append(database.runs)
        runner.run(database.close())

    assert PACE.first_walk // 20 < query.limit + 1 < PACE.common_walk // 20
    assert (counts, pages[0]) == (runs, pages[1])
    assert [thought.id for thought in pages[1].items] == list(range(4000, 3600, -20))
