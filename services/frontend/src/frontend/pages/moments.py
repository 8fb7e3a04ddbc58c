"""Times as displayed."""

from datetime import UTC, date, datetime
from functools import lru_cache
from typing import NamedTuple

from django.utils import translation
from django.utils.dateformat import format as format_date
from django.utils.translation import gettext, ngettext

MINUTE, HOUR, DAY, WEEK = 60, 3600, 86_400, 604_800
# Clocks of machines may differ by this much; a time further ahead is in the future.
CLOCK_SKEW_SECONDS = 5 * MINUTE


class Moment(NamedTuple):
    """A time for programs, exactly for people, and in words."""

    timestamp: str
    exact: str
    words: str


def moment(time: datetime, now: datetime, language: str) -> Moment:
    """Return the time as displayed now, in this language."""
    time = time.astimezone(UTC)
    second = time.isoformat(" ", "seconds")[:19]
    return Moment(f"{second}Z", f"{second} UTC", time_ago(time, now, language))


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
