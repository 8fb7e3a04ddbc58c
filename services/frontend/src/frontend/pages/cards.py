"""Thoughts as displayed: their texts and authors."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlencode
from zlib import crc32

from markupsafe import Markup, escape

from frontend.backends.thoughts_backend import Thought
from frontend.pages.links import find_links
from frontend.pages.words import Moment, moment

AUTHOR_COLOURS = 8

_LINK = Markup('<a href="{}" rel="nofollow noopener noreferrer">{}</a>')


class Author(NamedTuple):
    """An author as displayed; `hue` is the number of the author's colour."""

    name: str
    query: str
    letter: str
    hue: int


class Card(NamedTuple):
    """A thought as displayed."""

    id: int
    author: Author
    moment: Moment
    html: Markup


def cards(thoughts: Iterable[Thought], language: str) -> Iterator[Card]:
    """Yield the thoughts as displayed now, in this language."""
    now = datetime.now(UTC)
    for thought in thoughts:
        yield Card(
            id=thought.id,
            author=author(thought.username),
            moment=moment(thought.timestamp, now, language),
            html=rich_text(thought.text),
        )


# A few authors write most of the thoughts on a page.
@lru_cache(maxsize=1024)
def author(username: str) -> Author:
    """Return the author of this name as displayed."""
    return Author(
        name=username,
        query=urlencode({"username": username}),
        letter=username[:1].upper(),
        hue=crc32(username.encode()) % AUTHOR_COLOURS,
    )


def rich_text(text: str) -> Markup:
    """Return the text as HTML: escaped, with clickable links."""
    return _linked(text) if "://" in text else escape(text)


@lru_cache(maxsize=1024)
def _linked(text: str) -> Markup:
    parts: list[Markup] = []
    end = 0
    for link in find_links(text):
        parts.append(escape(text[end : link.start]))
        parts.append(_LINK.format(link.href, text[link.start : link.end]))
        end = link.end
    parts.append(escape(text[end:]))
    return Markup().join(parts)
