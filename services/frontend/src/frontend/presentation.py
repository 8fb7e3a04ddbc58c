"""How times, texts and authors are shown."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlencode
from zlib import crc32

from django.utils.translation import gettext, gettext_lazy, ngettext
from markupsafe import Markup, escape

from frontend.backends import Thought

AUTHOR_COLOURS = 8
MINUTE, HOUR, DAY, WEEK = 60, 3600, 86_400, 604_800

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

# ASCII alone: in Chinese a text goes on after a link without a space.
_LINK = re.compile(r"https?://[!#-;=?-~]+", re.ASCII | re.IGNORECASE)
_NOT_AT_THE_END = ".,;:!?'*_~"


def time_ago(moment: datetime, now: datetime) -> str:
    """Return "3 minutes ago", and after a week the day: "11 May 1962"."""
    seconds = int((now - moment).total_seconds())
    if seconds < MINUTE:
        return gettext("just now")
    if seconds < HOUR:
        count = seconds // MINUTE
        return ngettext("%(count)s minute ago", "%(count)s minutes ago", count) % {"count": count}
    if seconds < DAY:
        count = seconds // HOUR
        return ngettext("%(count)s hour ago", "%(count)s hours ago", count) % {"count": count}
    if seconds < WEEK:
        count = seconds // DAY
        return ngettext("%(count)s day ago", "%(count)s days ago", count) % {"count": count}
    return gettext("%(day)s %(month)s %(year)s") % {
        "day": moment.day,
        "month": MONTHS[moment.month - 1],
        "year": moment.year,
    }


def rich_text(text: str) -> Markup:
    """Return the text as HTML: escaped, with its links as links."""
    if "://" not in text:
        return escape(text)
    parts: list[Markup] = []
    end = 0
    for match in _LINK.finditer(text):
        url = _without_punctuation(match.group())
        parts.append(escape(text[end : match.start()]))
        parts.append(_link(url))
        end = match.start() + len(url)
    parts.append(escape(text[end:]))
    return Markup().join(parts)


def query(parameters: Mapping[str, str]) -> str:
    """Return the parameters that are not empty as the query of an address."""
    return urlencode({name: value for name, value in parameters.items() if value})


class Author(NamedTuple):
    """How an author is shown; `hue` is the number of the author's colour."""

    name: str
    query: str
    letter: str
    hue: int


class Card(NamedTuple):
    """A thought, ready to be shown."""

    id: int
    author: Author
    timestamp: str
    exact_time: str
    time_ago: str
    html: Markup


def cards(thoughts: Iterable[Thought], now: datetime) -> Iterator[Card]:
    """Yield the thoughts as they look at `now`."""
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


# Most thoughts on a page have the same few authors.
@lru_cache(maxsize=1024)
def author(username: str) -> Author:
    """Return how the author of this name is shown."""
    return Author(
        name=username,
        query=query({"username": username}),
        letter=username[:1].upper(),
        hue=crc32(username.encode()) % AUTHOR_COLOURS,
    )


def _link(url: str) -> Markup:
    if url.endswith("://"):
        return escape(url)
    return Markup('<a href="{0}" rel="nofollow noopener noreferrer">{0}</a>').format(url)


def _without_punctuation(url: str) -> str:
    """Return the link without what belongs to the sentence around it."""
    while True:
        shorter = url.rstrip(_NOT_AT_THE_END)
        for opening, closing in ("()", "[]"):
            if shorter.endswith(closing) and opening not in shorter:
                shorter = shorter[:-1]
        if shorter == url:
            return url
        url = shorter
