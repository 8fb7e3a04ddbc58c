"""What a search learns from PostgreSQL's statistics."""

import asyncio
from collections.abc import Callable
from typing import Any

from mythoughts_chassis.database import Database
from mythoughts_chassis.migrations import migrate
from mythoughts_chassis.settings import Secret
from testkit.thoughts_sql import Sql
from thoughts_backend import thoughts
from thoughts_backend.app import MIGRATIONS
from thoughts_backend.schemas import ThoughtsQuery
from thoughts_backend.search import PACE, Search

# One thought in 30 has the term: the shortest walk, over 512 thoughts, finds too few for a page of
# 20 and the next page's first.
TEXTS = """
    INSERT INTO thoughts (user_id, username, text)
    SELECT 1, 'bruce', CASE WHEN n % 30 = 0 THEN 'A Quokka.' ELSE 'nothing' END
    FROM generate_series(1, 4000) AS n
"""


class CountingDatabase(Database):
    """A database that counts how often a connection is taken."""

    runs = 0

    async def run(self, *arguments: Any, **options: Any) -> Any:
        self.runs += 1
        return await super().run(*arguments, **options)


def test_known_common_term_is_found_by_one_walk(new_database: Callable[[], str]) -> None:
    """The first search for a common term has to go on; the next ones read far enough at once."""
    url = new_database()
    migrate(Secret(url), MIGRATIONS)
    with asyncio.Runner() as runner, Sql(runner, url) as sql:
        sql.run(TEXTS)
        sql.run("VACUUM ANALYZE thoughts")
        database = CountingDatabase(Secret(url), pool_size=1, application_name="tests")
        runner.run(database.open())
        search, query = Search(at_once=1), ThoughtsQuery(search="QUOKKA")
        pages, runs = [], []
        for _ in range(2):
            database.runs = 0
            pages.append(runner.run(thoughts.find(database, search, query)))
            runs.append(database.runs)
        runner.run(database.close())

    assert PACE.first_walk // 30 < query.limit + 1
    assert (runs, pages[0]) == ([2, 1], pages[1])
    assert [thought.id for thought in pages[1].items] == list(range(3990, 3390, -30))
