"""Searches that take PostgreSQL long: their pages, their turns and their time limit."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest

from services.thoughts_backend.tests.conftest import MakeBackend
from testkit.http_client import Answer, HttpClient
from testkit.roles import migrate_with_roles, service_url
from testkit.thoughts_sql import Sql
from thoughts_backend.app import MIGRATIONS
from thoughts_backend.search_plan import PACE

PATH = "/api/thoughts/"
TERM = "quokka"
# In separate blocks, far from the newest and the oldest thoughts.
BLOCK = 2**16
MATCHES = [7 * BLOCK, 13 * BLOCK]
NEWEST_ID = 20 * BLOCK


@pytest.fixture
def far_apart(new_database: Callable[[], str]) -> Iterator[tuple[Sql, str]]:
    """A separate database, and its address, in which two thoughts contain the term."""
    url = new_database()
    migrate_with_roles(url, MIGRATIONS)
    with asyncio.Runner() as runner, Sql(runner, url) as connection:
        connection.run(
            """
            INSERT INTO thoughts (id, user_id, username, text) OVERRIDING SYSTEM VALUE
            SELECT id, 1, 'bruce', CASE WHEN id = ANY($1) THEN 'A Quokka.' ELSE 'nothing' END
            FROM (
                SELECT unnest($1::bigint[]) UNION
                SELECT generate_series(1, $2) UNION SELECT generate_series($3 - $2, $3)
            ) AS ids (id)
            """,
            MATCHES,
            PACE.first_walk,
            NEWEST_ID,
        )
        connection.run("VACUUM ANALYZE thoughts")
        yield connection, url


def make_searches_take(sql: Sql, seconds: float) -> None:
    """Make PostgreSQL wait in each step of a search that uses the index."""
    sql.run("ALTER FUNCTION term_query RENAME TO quick_term_query")
    sql.run(
        "CREATE FUNCTION term_query(term text) RETURNS tsquery "  # noqa: S608
        f"LANGUAGE sql VOLATILE RETURN (SELECT quick_term_query($1) FROM pg_sleep({seconds}))"
    )


def follow(http: HttpClient, relation: str, query: dict[str, str]) -> list[list[int]]:
    """The ids of each page, from the first on, as long as there is a link of this relation."""
    pages: list[list[int]] = []
    while True:
        answer = http.get(PATH, query=query)
        assert answer.status == 200, answer.body
        pages.append([thought["id"] for thought in answer.json()])
        if f'rel="{relation}"' not in answer.headers.get("link", ""):
            return pages
        reference = answer.headers["link"].split("<")[-1 if relation == "prev" else 1].split(">")[0]
        query = {name: values[0] for name, values in parse_qs(urlsplit(reference).query).items()}


@pytest.mark.parametrize(
    ("relation", "first"),
    [("next", {}), ("prev", {"min_id": "0"})],
    ids=["backwards", "forwards"],
)
def test_search_that_takes_long_continues_on_the_next_page(
    far_apart: tuple[Sql, str],
    make_backend: MakeBackend,
    relation: str,
    first: dict[str, str],
) -> None:
    """A page ends early, even empty, and links to where the search continues, until the end."""
    connection, url = far_apart
    make_searches_take(connection, PACE.page_seconds)
    backend = make_backend(DATABASE_URL=service_url(url))
    backend.start()

    pages = follow(backend.http, relation, {"search": TERM, **first})
    link = backend.http.get(PATH, query={"search": TERM, **first}).headers["link"]

    assert pages[0] == []
    assert sorted(thought_id for page in pages for thought_id in page) == MATCHES
    assert ('rel="next"' in link) is (relation == "next")


def test_searches_wait_for_their_turn_and_leave_others_alone(
    far_apart: tuple[Sql, str], make_backend: MakeBackend
) -> None:
    """Costly searches beyond the number of connections end with 503 in time, while lists work."""
    connection, url = far_apart
    make_searches_take(connection, 60)
    backend = make_backend(DATABASE_URL=service_url(url), DATABASE_POOL_SIZE="4")
    backend.start()

    def searched(_: int) -> Answer:
        return backend.http.get(PATH, query={"search": TERM})

    with ThreadPoolExecutor(12) as threads:
        searching = threads.map(searched, range(12))
        lists = [backend.http.get(PATH) for _ in range(20)]
        searches = list(searching)

    assert {answer.status for answer in lists} == {200}
    assert {(answer.status, answer.headers["retry-after"]) for answer in searches} == {(503, "1")}


def test_pages_of_a_search_stay_right_while_thoughts_arrive(http: HttpClient, sql: Sql) -> None:
    """Thoughts shared between two pages neither repeat nor hide a match."""
    ids = sql.add_thoughts(*[f"water {number}" for number in range(5)])
    first = http.get(PATH, query={"search": "water", "limit": "2"})
    sql.add_thoughts("water again", "water once more")
    oldest_shown = first.json()[-1]["id"]

    second = http.get(PATH, query={"search": "water", "limit": "9", "max_id": str(oldest_shown)})

    shown = [thought["id"] for answer in (first, second) for thought in answer.json()]
    assert shown == ids[::-1]


@pytest.mark.parametrize("character", ["a", ".", "の", "🦊", " a", "%", "İ"])
def test_one_character_repeated_finds_itself(http: HttpClient, sql: Sql, character: str) -> None:
    """A term of one repeated character is found only where it occurs often enough."""
    sql.add_thoughts(character * 20, character * 100)

    answer = http.get(PATH, query={"search": character * 50})

    assert [len(thought["text"]) for thought in answer.json()] == [100 * len(character)]
