"""How times, texts and authors are shown."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlencode
from zlib import crc32

from django.utils.translation import gettext, gettext_lazy, ngettext
from markupsafe import Markup, escape

from frontend.backends.calls import Thought
from frontend.pages.links import find_links

AUTHOR_COLOURS = 8
MINUTE, HOUR, DAY, WEEK = 60, 3600, 86_400, 604_800
# Clocks of machines may differ by this much; a time further ahead is in the future.
CLOCK_SKEW_SECONDS = 5 * MINUTE

_LINK = Markup('<a href="{}" rel="nofollow noopener noreferrer">{}</a>')

MONTHS = (
    gettext_lazy("Jan"),
    gettext_lazy("Feb"),
    gettext_lazy("Mar"),
    gettext_lazy("Apr"),
    gettext_lazy("May"),
    gettext_lazy("Jun"),
    gettext_lazy("Jul"),
    gettext_lazy("Aug"),
    gettext_lazy("Sep"),
    gettext_lazy("Oct"),
    gettext_lazy("Nov"),
    gettext_lazy("Dec"),
)


def time_ago(moment: datetime, now: datetime) -> str:
    """Return "3 minutes ago", and after a week, or in the future, the day: "11 May 1962"."""
    seconds = int((now - moment).total_seconds())
    if -CLOCK_SKEW_SECONDS <= seconds < MINUTE:
        return gettext("just now")
    if MINUTE <= seconds < HOUR:
        count = seconds // MINUTE
        return ngettext("%(count)s minute ago", "%(count)s minutes ago", count) % {"count": count}
    if HOUR <= seconds < DAY:
        count = seconds // HOUR
        return ngettext("%(count)s hour ago", "%(count)s hours ago", count) % {"count": count}
    if DAY <= seconds < WEEK:
        count = seconds // DAY
        return ngettext("%(count)s day ago", "%(count)s days ago", count) % {"count": count}
    return gettext("%(day)s %(month)s %(year)s") % {
        "day": moment.day,
        "month": MONTHS[moment.month - 1],
        "year": moment.year,
    }


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


def query(parameters: Mapping[str, str]) -> str:
    """Return the parameters that are not empty as a query string."""
    return urlencode({name: value for name, value in parameters.items() if value})


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


def cards(thoughts: Iterable[Thought], now: datetime) -> Iterator[Card]:
    """Yield the thoughts as displayed at `now`."""
    for thought in thoughts:
        moment = thought.timestamp.astimezone(UTC)
        second = moment.isoformat(" ", "seconds")[:19]
        yield Card(
            id=thought.id,
            author=author(thought.username),
            timestamp=f"{second}Z",
            exact_time=f"{second} UTC",
            time_ago=time_ago(moment, now),
            html=rich_text(thought.text),
        )


# A few authors write most of the thoughts on a page.
@lru_cache(maxsize=1024)
def author(username: str) -> Author:
    """Return the author of this name as displayed."""
    return Author(
        name=username,
        query=query({"username": username}),
        letter=username[:1].upper(),
        hue=crc32(username.encode()) % AUTHOR_COLOURS,
    )
