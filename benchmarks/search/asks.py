"""The requests of the search benchmark: searches of each class, deep pages, feeds.

`terms.json` has the terms of each class, folded. They were chosen once from the first 100,000
generated thoughts: common ones are the most frequent of their script and length, middling ones are
in 0.01 to 0.1 % of the thoughts, rare ones in a single one, absent ones in none.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import msgspec

from benchmarks.client import Ask, fetch, request_bytes
from benchmarks.generator import FIRST_USER_ID
from benchmarks.loading import Connection, connected

# The author with the most thoughts, who is the first generated user.
PROLIFIC_AUTHOR = "alex 1"
# A demonstration user, whose few thoughts are the oldest of all.
QUIET_AUTHOR = "stephen"

LIMIT = 20
DEEP = "word, middling, page 20"
FEED = "feed: "

_TERMS = Path(__file__).with_name("terms.json")
_PAGES = 20
_NEXT = re.compile(r'<([^>]+)>; rel="next"')


async def search_asks(base_url: str) -> list[Ask]:
    """Return searches of everybody's thoughts, of two authors', and deep pages of a search."""
    terms = msgspec.json.decode(_TERMS.read_bytes(), type=dict[str, list[str]])
    words = {
        "common": terms["word, very common"],
        "middling": terms["word, middling"],
        "rare": terms["word, rare"],
    }
    return [
        *(_search(kind, term) for kind, own in terms.items() for term in own),
        *(
            _search(f"{frequency} word, {author} author", term, username)
            for author, username in (("prolific", PROLIFIC_AUTHOR), ("quiet", QUIET_AUTHOR))
            for frequency, own in words.items()
            for term in own
        ),
        *[await _deep_page(base_url, term) for term in words["middling"]],
    ]


async def feed_asks(database_url: str, authorization: dict[str, str]) -> list[Ask]:
    """Return the first, middle and last page of everybody's and the prolific author's lists.

    `authorization` is the header of this author, who also requests their own list.
    """
    async with connected(database_url) as connection:
        all_ids = await _page_starts(connection, 0)
        author_ids = await _page_starts(connection, FIRST_USER_ID)
    author = {"username": PROLIFIC_AUTHOR}
    return [
        *_feed("everybody's", "/api/thoughts/", {}, all_ids),
        *_feed("an author's", "/api/thoughts/", author, author_ids),
        *_feed("one's own", "/api/me/thoughts/", {}, author_ids, authorization),
    ]


def _search(kind: str, term: str, username: str = "") -> Ask:
    filters = {"search": term} | ({"username": username} if username else {})
    request = request_bytes("GET", f"/api/thoughts/?{urlencode(filters)}")
    return Ask(kind, request, term, username)


async def _deep_page(base_url: str, term: str) -> Ask:
    """Follow the links to a search's 20th page, or to the last if there are fewer."""
    request = _search(DEEP, term).request
    for _ in range(_PAGES - 1):
        link = (await fetch(base_url, request)).headers.get("link", "")
        if not (reference := _NEXT.search(link)):
            break
        request = request_bytes("GET", reference[1])
    return Ask(DEEP, request, term)


async def _page_starts(connection: Connection, user_id: int) -> tuple[int, int]:
    """Return the ids below which the middle page and the last page of a list begin (0: of all)."""
    row = await connection.fetchrow(
        """
        WITH ids AS (
            SELECT id, row_number() OVER (ORDER BY id) AS number, count(*) OVER () AS total
            FROM thoughts WHERE $1::bigint = 0 OR user_id = $1
        )
        SELECT max(id) FILTER (WHERE number <= total / 2),
               max(id) FILTER (WHERE number <= $2) FROM ids
        """,
        user_id,
        LIMIT + 1,
        timeout=None,
    )
    if row is None:
        raise LookupError("There are no thoughts.")
    return row[0], row[1]


def _feed(
    name: str,
    path: str,
    filters: dict[str, str],
    starts: tuple[int, int],
    headers: dict[str, str] | None = None,
) -> Iterator[Ask]:
    for page, start in zip(("first", "middle", "last"), (None, *starts), strict=True):
        query = urlencode(filters | ({} if start is None else {"max_id": str(start)}))
        request = request_bytes("GET", f"{path}?{query}", headers)
        yield Ask(f"{FEED}{name}, {page} page", request)
