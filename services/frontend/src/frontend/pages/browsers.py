"""What a browser calls itself, in short words."""

from functools import lru_cache

from django.utils.translation import gettext

MAX_CHARACTERS = 60


def browser_in_words(user_agent: str) -> str:
    """Return "Firefox, Windows"; what is not a known browser is shown as it calls itself."""
    known = _known(user_agent)
    if known:
        return known
    if len(user_agent) > MAX_CHARACTERS:
        return user_agent[:MAX_CHARACTERS] + "…"
    return user_agent or gettext("Unknown program")


@lru_cache(maxsize=1024)
def _known(user_agent: str) -> str:
    # Imported only when needed: its rules take 6 MiB and 0.3 s.
    from ua_parser import parse_os, parse_user_agent  # noqa: PLC0415

    browser, system = parse_user_agent(user_agent), parse_os(user_agent)
    return ", ".join(part.family for part in (browser, system) if part and browser)
