"""Searches compared with a plain scan of all thoughts, on random texts and terms, by pages."""

import asyncio
import random
from asyncio import Runner
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mythoughts_chassis.database import Database
from mythoughts_chassis.pagination import Page
from mythoughts_chassis.settings import Secret
from testkit.roles import migrate_with_roles
from testkit.thoughts_sql import Sql
from thoughts_backend import thoughts
from thoughts_backend.app import MIGRATIONS
from thoughts_backend.grams import is_whole, whole_grams
from thoughts_backend.list_queries import Found, Wanted, block_bits
from thoughts_backend.schemas import Thought, ThoughtsQuery, shows_something
from thoughts_backend.search import Search
from thoughts_backend.search_plan import Blocks, Pace, Step, Walk

# Few characters of many kinds, so that random terms occur in some texts but not in others.
CHARACTERS = (
    "aaAbBc  e\u0301\u0307ßẞİiıéñ,.!?%％_\\'’\":\t\n\u001fяЯщ你你好世界か\u3099アｱｶﾞガ🦊🦊🪩👩\u200d"
)
TEXTS = 700
AUTHORS = ("bruce", "Stephen", "İda")
LARGEST_ID = 2**26
# Of a term that is in many texts the pages are larger.
MOST_PAGES = 12

# Walks so short that most searches must continue in the index, and no time limits.
PACE = Pace(first_walk=3, long_walk=12, short_term_walk=24, step_seconds=60, page_seconds=60)
PACES = {
    "whole pages": PACE,
    "step by step": replace(PACE, page_seconds=0),
    "larger and larger blocks": replace(PACE, rare=10**6),
    "everything is given up": replace(PACE, near_ids=2**20, first_ids=2**20, step_seconds=0),
}
TAKEN = {
    "whole pages": {"Walk", "Blocks 13 or all", "Blocks 16 or all"},
    "step by step": {"Walk", "Blocks 13 or all", "Blocks 16 or all"},
    "larger and larger blocks": {"Blocks 16 or all", "Blocks 16", "Blocks 20", "Blocks 24"},
    "everything is given up": {"Walk", "Blocks 20 or all, given up", "Blocks 20"},
}


@dataclass(frozen=True, slots=True)
class Scene:
    """A database of random thoughts, and a plain scan of its contents."""

    runner: Runner
    database: Database
    search: Search
    sql: Sql
    texts: list[str]

    def find(self, query: ThoughtsQuery, **who: Any) -> Page[Thought]:
        """One page, as the API would return it."""
        return self.runner.run(thoughts.find(self.database, self.search, query, **who))

    def scan(self, term: str, username: str = "", user_id: int = 0) -> list[int]:
        """The ids of all matches, newest first, without an index."""
        rows = self.sql.run(
            """
            SELECT id FROM thoughts, fold_text($1) AS term
            WHERE strpos(fold_text(text), term) > 0
            AND ($2 = '' OR normalize(casefold(username COLLATE pg_unicode_fast))
                = normalize(casefold($2 COLLATE pg_unicode_fast)))
            AND ($3 = 0 OR user_id = $3)
            ORDER BY id DESC
            """,
            term,
            username,
            user_id,
        )
        return [row[0] for row in rows]


@pytest.fixture(scope="module")
def scene(new_database: Callable[[], str]) -> Iterator[Scene]:
    """Thoughts in blocks of all sizes, most of them near block boundaries."""
    url, chooser = new_database(), random.Random(5)
    migrate_with_roles(url, MIGRATIONS)
    texts = [
        "".join(chooser.choices(CHARACTERS, k=chooser.randint(1, 40))).strip() or "a"
        for _ in range(TEXTS)
    ]
    authors = [chooser.randrange(len(AUTHORS)) for _ in range(TEXTS)]
    with asyncio.Runner() as runner, Sql(runner, url) as sql:
        sql.run(
            "INSERT INTO thoughts (id, user_id, username, text) OVERRIDING SYSTEM VALUE "
            "SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[])",
            _ids(chooser),
            [author + 1 for author in authors],
            [AUTHORS[author] for author in authors],
            texts,
        )
        sql.run("VACUUM ANALYZE thoughts")
        database = Database(Secret(url), pool_size=1, application_name="tests")
        yield Scene(runner, database, Search(at_once=1, pace=PACE), sql, texts)
        database.close()


def _ids(chooser: random.Random) -> list[int]:
    ids = set(range(1, 101))
    while len(ids) < TEXTS:
        end_of_block = chooser.randint(1, 64) << chooser.choice((16, 20, 24))
        ids.add(min(max(end_of_block + chooser.randint(-3, 3), 1), LARGEST_ID))
    return chooser.sample(sorted(ids), TEXTS)


@pytest.fixture
def steps_taken(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The kinds of steps that searches have taken since."""
    taken: set[str] = set()

    def record(kind: type[Step]) -> None:
        run = kind.run

        async def recorded(step: Any, *arguments: Any) -> Found:
            name = kind.__name__
            if isinstance(step, Blocks):
                name += f" {block_bits(step.ids)}" + (" or all" if step.enough else "")
            try:
                found = await run(step, *arguments)
            except asyncio.CancelledError:
                taken.add(f"{name}, given up")
                raise
            taken.add(name)
            return found

        monkeypatch.setattr(kind, "run", recorded)

    for kind in (Walk, Blocks):
        record(kind)
    return taken


@pytest.fixture
def slow_large_blocks(scene: Scene) -> Iterator[None]:
    """Blocks of more than 2 ** 16 ids take too long."""
    scene.sql.run("ALTER FUNCTION term_query RENAME TO quick_term_query")
    scene.sql.run(r"""
        CREATE FUNCTION term_query(term text) RETURNS tsquery LANGUAGE sql VOLATILE RETURN (
            SELECT quick_term_query($1)
            FROM pg_sleep(CASE WHEN $1 ~ E'^\x1f2[04]:' THEN 0.5 ELSE 0 END)
        )
    """)
    yield
    scene.sql.run("DROP FUNCTION term_query")
    scene.sql.run("ALTER FUNCTION quick_term_query RENAME TO term_query")


@st.composite
def terms(draw: st.DrawFn, texts: list[str]) -> str:
    """Parts of texts, in varying case, and terms that may occur nowhere."""
    text = draw(st.sampled_from(texts) | st.text(CHARACTERS, min_size=1, max_size=40))
    start = draw(st.integers(0, len(text) - 1))
    part = text[start : start + draw(st.sampled_from((1, 1, 2, 2, 3, 3, 4, 7, 40)))]
    return draw(st.sampled_from((part, part.upper(), part.lower(), part.swapcase())))


def follow(scene: Scene, query: ThoughtsQuery, direction: str, **who: Any) -> list[int]:
    """The ids of all pages from this one on, in one direction."""
    ids: list[int] = []
    while True:
        page = scene.find(query, **who)
        assert len(page.items) <= query.limit
        found = [thought.id for thought in page.items]
        if direction == "older":
            ids += found
            if page.older_than is None:
                return ids
            query = ThoughtsQuery(search=query.search, limit=query.limit, max_id=page.older_than)
        else:
            ids = found + ids
            if page.newer_than is None:
                return ids
            query = ThoughtsQuery(search=query.search, limit=query.limit, min_id=page.newer_than)


def filters() -> st.SearchStrategy[dict[str, Any]]:
    """Everybody's thoughts, one author's, one's own."""
    return st.sampled_from(
        [{}, {}, {}, *({"username": name.upper()} for name in AUTHORS), {"user_id": 2}]
    )


EXAMPLES = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.mark.parametrize("pace", PACES)
@pytest.mark.parametrize("direction", ["older", "newer"])
def test_pages_of_a_search_are_the_plain_scan(
    scene: Scene, direction: str, pace: str, steps_taken: set[str]
) -> None:
    """All pages together contain each match once, in order, even if pages end early."""
    scene = replace(scene, search=Search(at_once=1, pace=PACES[pace]))

    @EXAMPLES
    @given(term=terms(scene.texts), who=filters(), limit=st.sampled_from((1, 3, 20, 100)))
    def check(term: str, who: dict[str, Any], limit: int) -> None:
        if not shows_something(term):
            return
        expected = scene.scan(term, **who)
        limit = max(limit, len(expected) // MOST_PAGES)
        first = ThoughtsQuery(search=term, limit=limit, min_id=0 if direction == "newer" else None)

        assert follow(scene, first, direction, **who) == expected

    check()
    assert steps_taken >= TAKEN[pace]


def test_any_range_of_a_search_is_that_of_the_plain_scan(scene: Scene) -> None:
    """Cursors select the same range from a search as from the plain scan."""

    @EXAMPLES
    @given(
        term=terms(scene.texts),
        above=st.integers(0, LARGEST_ID),
        length=st.integers(1, LARGEST_ID),
    )
    def check(term: str, above: int, length: int) -> None:
        if not shows_something(term):
            return
        expected = [id_ for id_ in scene.scan(term) if above < id_ < above + length]

        newest = scene.find(ThoughtsQuery(search=term, since_id=above, max_id=above + length))
        oldest = scene.find(ThoughtsQuery(search=term, min_id=above, max_id=above + length))

        assert [thought.id for thought in newest.items] == expected[:20]
        assert [thought.id for thought in oldest.items] == expected[-20:]

    check()


def test_grams_of_a_search_are_those_of_the_index(scene: Scene) -> None:
    """The service and the database cut a text into the same grams."""

    @EXAMPLES
    @given(text=st.text(CHARACTERS.replace("\u001f", ""), max_size=12))
    def check(text: str) -> None:
        ((grams,),) = scene.sql.run("SELECT text_grams($1)", text)

        assert set(whole_grams(text)) == set(filter(is_whole, grams))

    check()


def test_search_asks_only_about_ids_that_exist(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search from the oldest thought on ends at the newest, not at the largest possible id."""
    asked: list[int] = []
    run = Blocks.run

    async def recorded(step: Blocks, connection: Any, wanted: Wanted, *arguments: Any) -> Found:
        asked.append(wanted.below)
        return await run(step, connection, wanted, *arguments)

    monkeypatch.setattr(Blocks, "run", recorded)

    scene.find(ThoughtsQuery(search="nowhere", min_id=0))

    assert asked
    assert max(asked) <= LARGEST_ID + 1


@pytest.mark.usefixtures("slow_large_blocks")
def test_large_steps_that_take_too_long_are_given_up(scene: Scene, steps_taken: set[str]) -> None:
    """A search whose large steps time out continues in small ones and misses nothing."""
    pace = replace(PACE, step_seconds=Pace().step_seconds)
    scene = replace(scene, search=Search(at_once=1, pace=pace))

    found = follow(scene, ThoughtsQuery(search="🪩", limit=3), "older")

    assert found == scene.scan("🪩")
    assert "Blocks 20, given up" in steps_taken
