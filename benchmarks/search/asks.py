"""The requests of the search benchmark: searches of each class, deep pages, feeds."""

import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlencode

import asyncpg

from benchmarks.client import Ask, fetch, request_bytes
from benchmarks.search.terms import MIDDLING_WORDS, RARE_WORDS, VERY_COMMON_WORDS, Kind

LIMIT = 20
DEEP = "word, middling, page 20"
FEED = "feed: "

_PAGES = 20
_NEXT = re.compile(r'<([^>]+)>; rel="next"')


def term_asks(kinds: Sequence[Kind]) -> list[Ask]:
    """Return the searches of everybody's thoughts."""
    return [_search(kind.name, term) for kind in kinds for term in kind.terms]


def author_asks(kinds: Sequence[Kind], *, prolific: str, quiet: str) -> list[Ask]:
    """Return searches of the thoughts of an author with many, and of one with few."""
    terms = {kind.name: kind.terms for kind in kinds}
    frequencies = {"common": VERY_COMMON_WORDS, "middling": MIDDLING_WORDS, "rare": RARE_WORDS}
    return [
        _search(f"{frequency} word, {author} author", term, username)
        for author, username in (("prolific", prolific), ("quiet", quiet))
        for frequency, name in frequencies.items()
        for term in terms.get(name, ())
    ]


async def deep_asks(base_url: str, kinds: Sequence[Kind]) -> list[Ask]:
    """Follow the middling words to their 20th page, or to the last if there are fewer."""
    words = [term for kind in kinds if kind.name == MIDDLING_WORDS for term in kind.terms]
    return [Ask(DEEP, await _deep_request(base_url, word), word) for word in words]


async def feed_asks(database_url: str, *, prolific_id: int, token: str) -> list[Ask]:
    """Return the first, middle and last page of everybody's and an author's lists.

    `token` is the Authorization header of this author, who also requests their own list.
    """
    connection = await asyncpg.connect(database_url)
    try:
        all_ids = await _page_starts(connection, None)
        author_ids = await _page_starts(connection, prolific_id)
        username = await connection.fetchval(
            "SELECT username FROM thoughts WHERE user_id = $1 LIMIT 1", prolific_id
        )
    finally:
        await connection.close()
    headers = {"Authorization": token}
    return [
        *_feed("everybody's", "/api/thoughts/", {}, all_ids),
        *_feed("an author's", "/api/thoughts/", {"username": username}, author_ids),
        *_feed("one's own", "/api/me/thoughts/", {}, author_ids, headers),
    ]


def _search(kind: str, term: str, username: str = "") -> Ask:
    filters = {"search": term} | ({"username": username} if username else {})
    request = request_bytes("GET", f"/api/thoughts/?{urlencode(filters)}")
    return Ask(kind, request, term, username)


async def _deep_request(base_url: str, term: str) -> bytes:
    request = _search(DEEP, term).request
    for _ in range(_PAGES - 1):
        link = (await fetch(base_url, request)).headers.get("link", "")
        if not (reference := _NEXT.search(link)):
            break
        request = request_bytes("GET", reference[1])
    return request


async def _page_starts(
    connection: "asyncpg.Connection[asyncpg.Record]", user_id: int | None
) -> tuple[int, int]:
    """Return the ids below which the middle page and the last page of a list begin."""
    row = await connection.fetchrow(
        """
        WITH ids AS (
            SELECT id, row_number() OVER (ORDER BY id) AS number, count(*) OVER () AS total
            FROM thoughts WHERE $1::bigint IS NULL OR user_id = $1
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
