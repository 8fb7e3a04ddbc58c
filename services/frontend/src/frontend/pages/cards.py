"""Thoughts as displayed: their times, texts and authors."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlencode
from zlib import crc32

from django.utils import translation
from django.utils.dateformat import format as format_date
from django.utils.translation import gettext, ngettext
from markupsafe import Markup, escape

from frontend.backends.thoughts_backend import Thought
from frontend.pages.links import find_links

AUTHOR_COLOURS = 8
MINUTE, HOUR, DAY, WEEK = 60, 3600, 86_400, 604_800
# Clocks of machines may differ by this much; a time further ahead is in the future.
CLOCK_SKEW_SECONDS = 5 * MINUTE

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
    timestamp: str
    exact_time: str
    time_ago: str
    html: Markup


def cards(thoughts: Iterable[Thought], language: str) -> Iterator[Card]:
    """Yield the thoughts as displayed now, in this language."""
    now = datetime.now(UTC)
    for thought in thoughts:
        moment = thought.timestamp.astimezone(UTC)
        second = moment.isoformat(" ", "seconds")[:19]
        yield Card(
            id=thought.id,
            author=author(thought.username),
            timestamp=f"{second}Z",
            exact_time=f"{second} UTC",
            time_ago=time_ago(moment, now, language),
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


def time_ago(moment: datetime, now: datetime, language: str) -> str:
    """Return "3 minutes ago", and after a week, or in the future, the day: "11 May 1962"."""
    seconds = int((now - moment).total_seconds())
    if not -CLOCK_SKEW_SECONDS <= seconds < WEEK:
        return _day(moment.date(), language)
    unit = MINUTE if seconds < HOUR else HOUR if seconds < DAY else DAY
    return _distance(max(seconds, 0) // unit, unit, language)


# Pages show the same few days and distances again and again.
@lru_cache(maxsize=1024)
def _day(day: date, language: str) -> str:
    with translation.override(language):
        # The translation is a pattern too, in the notation of Django's `date` filter.
        return format_date(day, gettext("j M Y"))


@lru_cache(maxsize=1024)
def _distance(count: int, unit: int, language: str) -> str:
    with translation.override(language):
        if count == 0:
            return gettext("just now")
        texts = {
            MINUTE: ngettext("%(count)s minute ago", "%(count)s minutes ago", count),
            HOUR: ngettext("%(count)s hour ago", "%(count)s hours ago", count),
            DAY: ngettext("%(count)s day ago", "%(count)s days ago", count),
        }
        return texts[unit] % {"count": count}


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
