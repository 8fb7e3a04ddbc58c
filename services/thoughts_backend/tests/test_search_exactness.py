"""Searches compared with a plain scan of all thoughts, on random texts and terms, by pages."""

import asyncio
import random
from asyncio import Runner
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mythoughts_chassis.database import Database
from mythoughts_chassis.migrations import migrate
from mythoughts_chassis.pagination import Page
from mythoughts_chassis.settings import Secret
from testkit.thoughts_sql import Sql
from thoughts_backend import search, thoughts
from thoughts_backend.app import MIGRATIONS
from thoughts_backend.schemas import Thought, ThoughtsQuery, shows_something

# Few characters of many kinds, so that random terms occur in some texts but not in others.
CHARACTERS = (
    "aaAbBc  e\u0301\u0307ßẞİiıéñ,.!?%％_\\'’\":\t\n\u001fяЯщ你你好世界か\u3099アｱｶﾞガ🦊🦊🪩👩\u200d"
)
TEXTS = 700
AUTHORS = ("bruce", "Stephen", "İda")
LARGEST_ID = 2**26


@dataclass(frozen=True, slots=True)
class Scene:
    """A database of random thoughts, and a plain scan of its contents."""

    runner: Runner
    database: Database
    search: search.Search
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
    migrate(Secret(url), MIGRATIONS)
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
        runner.run(database.open())
        yield Scene(runner, database, search.Search(at_once=1), sql, texts)
        runner.run(database.close())


def _ids(chooser: random.Random) -> list[int]:
    ids = set(range(1, 101))
    while len(ids) < TEXTS:
        end_of_block = chooser.randint(1, 64) << chooser.choice((16, 20, 24))
        ids.add(min(max(end_of_block + chooser.randint(-3, 3), 1), LARGEST_ID))
    return chooser.sample(sorted(ids), TEXTS)


@pytest.fixture
def short_walks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Walks so short that most searches must continue in the index."""
    monkeypatch.setattr(search, "WALK_LENGTH", 5)
    monkeypatch.setattr(search, "AUTHORS_WALK_LENGTH", 3)


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


async def give_up(*_: object) -> None:
    """Replaces a statement that takes too long."""


@pytest.mark.parametrize(
    ("page_seconds", "gives_up"),
    [(0.0, False), (60.0, False), (0.0, True), (60.0, True)],
    ids=["step by step", "whole pages", "block by block", "whole pages by blocks"],
)
@pytest.mark.parametrize("direction", ["older", "newer"])
@pytest.mark.usefixtures("short_walks")
def test_pages_of_a_search_are_the_plain_scan(
    scene: Scene,
    direction: str,
    page_seconds: float,
    gives_up: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All pages together contain each match once, in order, even if pages end early."""
    monkeypatch.setattr(search, "PAGE_SECONDS", page_seconds)
    if gives_up:
        monkeypatch.setattr(search, "_ask_for_all", give_up)

    @EXAMPLES
    @given(term=terms(scene.texts), who=filters(), limit=st.sampled_from((1, 3, 20, 100)))
    def check(term: str, who: dict[str, Any], limit: int) -> None:
        if not shows_something(term):
            return
        first = ThoughtsQuery(search=term, limit=limit, min_id=0 if direction == "newer" else None)

        assert follow(scene, first, direction, **who) == scene.scan(term, **who)

    check()


@pytest.mark.usefixtures("short_walks")
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


@pytest.mark.usefixtures("short_walks")
def test_large_steps_that_take_too_long_are_given_up(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search whose large steps time out continues in small ones and misses nothing."""
    # A step is always followed by a larger one, which always times out.
    monkeypatch.setattr(search, "GROWTH", 0)
    monkeypatch.setattr(search, "EXPECTED_SECONDS", 1e-9)
    monkeypatch.setattr(search, "PAGE_SECONDS", 60.0)

    found = follow(scene, ThoughtsQuery(search="🪩"), "older")

    assert found == scene.scan("🪩")
