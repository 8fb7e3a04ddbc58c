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
from frontend.pages.words import moment

AUTHOR_COLOURS = 8

# HTML that many pages share is built here once. Each value that a template escapes costs 0.5 us;
# ten values per card used to take a tenth of a page's time.
_LINK = Markup('<a href="{}" rel="nofollow noopener noreferrer">{}</a>')
_AVATAR = Markup('<span class="avatar hue-{}" aria-hidden="true">{}</span>')
_AUTHOR_LINK = Markup('<a class="author" href="/search?{}" dir="auto">{}</a>')


class Author(NamedTuple):
    """An author as displayed: an avatar in the author's colour, and a link to all thoughts."""

    name: str
    avatar: Markup
    link: Markup


class Card(NamedTuple):
    """A thought as displayed."""

    id: int
    author: Author
    moment: Markup
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
    colour = crc32(username.encode()) % AUTHOR_COLOURS
    return Author(
        name=username,
        avatar=_AVATAR.format(colour, username[:1].upper()),
        link=_AUTHOR_LINK.format(urlencode({"username": username}), username),
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
