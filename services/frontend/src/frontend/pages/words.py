"""Times, browsers, audit events and refusals in words, in the visitor's language."""

import re
from datetime import UTC, date, datetime
from functools import lru_cache
from math import ceil

from django.utils import translation
from django.utils.dateformat import format as format_date
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from markupsafe import Markup

MINUTE, HOUR, DAY, WEEK = 60, 3600, 86_400, 604_800
# Clocks of machines may differ by this much; a time further ahead is shown as a date.
CLOCK_SKEW_SECONDS = 5 * MINUTE
MAX_BROWSER_CHARACTERS = 60

# The events of the audit logs.
EVENTS: dict[str, Promise] = {
    "login": _("Logged in"),
    "login failed": _("Login failed"),
    "logout": _("Logged out"),
    "session ended": _("Session ended"),
    "sessions ended": _("Sessions ended"),
    "wrong password": _("Wrong password"),
    "password expired": _("Password expired"),
    "password changed": _("Password changed"),
    "password reset": _("Password reset"),
    "user created": _("User created"),
    "user registered": _("User registered"),
    "user disabled": _("User disabled"),
    "user enabled": _("User enabled"),
    "admin made": _("Admin rights given"),
    "admin unmade": _("Admin rights removed"),
    "user deleted": _("User deleted"),
    "users listed": _("Users listed"),
    "user read": _("User viewed"),
    "audit log read": _("Audit log read"),
    "thought deleted": _("Thought deleted"),
    "thoughts deleted": _("All thoughts deleted"),
    "faults set": _("Faults set"),
}

# Why the Users Backend refuses a name or a password. Its reasons are in English and for programs.
# The groups of a pattern are the variables of its text.
_REASONS: tuple[tuple[str, Promise], ...] = (
    ("is required|must not be empty", _("Please fill in this field.")),
    (r"must have at least (?P<count>\d+) characters", _("At least %(count)s characters.")),
    (
        r"must have at most (?P<count>\d+) characters( in Unicode's form NFC)?",
        _("At most %(count)s characters."),
    ),
    ("This name is taken\\.", _("This name is taken. Please choose another.")),
    (
        "This name looks too much like one that is taken\\.",
        _("This name looks too much like one that is taken. Please choose another."),
    ),
    (
        "must not begin or end with a space, or contain two in a row",
        _("Only single spaces, and only between words."),
    ),
    (
        r"must not contain (?P<character>U\+\w+).* \(character (?P<position>\d+)\): .*",
        _(
            "Character %(position)s (%(character)s) cannot be used. Names consist of letters, "
            "digits and simple punctuation."
        ),
    ),
    (
        "must not mix right-to-left letters .*",
        _("A word cannot mix letters that are written from right to left with others."),
    ),
    ("must not contain the character NUL", _("It contains a character that cannot be stored.")),
    (
        "This temporary password has expired\\. .*",
        _("This temporary password has expired. Ask an admin for another one."),
    ),
    ("is the current password", _("This is your current password. Choose another.")),
    (
        "This is the last admin .*",
        _("This is the last admin who can log in. Make somebody else an admin first."),
    ),
    (
        "is too easy to guess: it is little more than a common password",
        _("This is little more than a common password, which is easy to guess."),
    ),
    (
        "is too easy to guess: it is little more than your name or the name of this site",
        _("This is little more than your name or the name of this site, which is easy to guess."),
    ),
    ("is too easy to guess", _("This is too easy to guess. Try a few words.")),
)
_KNOWN = tuple((re.compile(pattern, re.ASCII | re.DOTALL), text) for pattern, text in _REASONS)


def moment(time: datetime, now: datetime, language: str) -> Markup:
    """Return the time as displayed now: in words, and in UTC to the second."""
    time = time.astimezone(UTC)
    second, words = time.isoformat(" ", "seconds")[:19], time_ago(time, now, language)
    # Nothing in it comes from a user, and `Markup.format` is slow.
    return Markup(f'<time datetime="{second}Z" title="{second} UTC">{words}</time>')  # noqa: S704


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


def waiting_time(seconds: int) -> str:
    """Return "40 seconds", "2 minutes" or "3 hours", never less than `seconds`.

    In Chinese it is "40 秒"; the sentence adds what belongs around it.
    """
    if seconds < 2 * MINUTE:
        return ngettext("%(count)s second", "%(count)s seconds", seconds) % {"count": seconds}
    if seconds < 2 * HOUR:
        count = ceil(seconds / MINUTE)
        return ngettext("%(count)s minute", "%(count)s minutes", count) % {"count": count}
    count = ceil(seconds / HOUR)
    return ngettext("%(count)s hour", "%(count)s hours", count) % {"count": count}


def browser_in_words(user_agent: str) -> str:
    """Return "Firefox, Windows"; for unknown programs, return the `User-Agent` itself."""
    known = _known(user_agent)
    if known:
        return known
    if len(user_agent) > MAX_BROWSER_CHARACTERS:
        return user_agent[:MAX_BROWSER_CHARACTERS] + "…"
    return user_agent or gettext("Unknown program")


@lru_cache(maxsize=1024)
def _known(user_agent: str) -> str:
    # Imported only when needed: its rules take 6 MiB and 0.3 s.
    from ua_parser import parse_os, parse_user_agent  # noqa: PLC0415

    browser, system = parse_user_agent(user_agent), parse_os(user_agent)
    return ", ".join(part.family for part in (browser, system) if part and browser)


def event_in_words(event: str) -> str:
    """Return an event in the active language; unknown events are returned unchanged."""
    return str(EVENTS.get(event, event))


def reason_in_words(detail: str) -> str:
    """Return the backend's reason in the active language.

    An unknown reason, for example from a newer backend, is shown unchanged.
    """
    for pattern, text in _KNOWN:
        if match := pattern.fullmatch(detail):
            return str(text) % match.groupdict()
    return gettext("This was not accepted: %(reason)s") % {"reason": detail}
