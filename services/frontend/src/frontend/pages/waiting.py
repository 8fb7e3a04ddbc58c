"""How long to wait, in words."""

from math import ceil

from django.utils.translation import ngettext

MINUTE, HOUR = 60, 3600


def waiting_time(seconds: int) -> str:
    """Return "40 seconds", "2 minutes" or "3 hours", never less than `seconds`.

    In Chinese it is "40 秒": sentences put what belongs around it.
    """
    if seconds < 2 * MINUTE:
        return ngettext("%(count)s second", "%(count)s seconds", seconds) % {"count": seconds}
    if seconds < 2 * HOUR:
        count = ceil(seconds / MINUTE)
        return ngettext("%(count)s minute", "%(count)s minutes", count) % {"count": count}
    count = ceil(seconds / HOUR)
    return ngettext("%(count)s hour", "%(count)s hours", count) % {"count": count}
