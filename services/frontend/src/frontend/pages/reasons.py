"""Why the Users Backend refuses a name or a password, in the visitor's language.

The backend's reasons are English and made for programs. One that is not known here, for example
because the backend is newer, is shown as it is.
"""

import re

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

# Each with the groups of its pattern as variables.
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


def reason_in_words(detail: str) -> str:
    """Return the backend's reason in the active language."""
    for pattern, text in _KNOWN:
        if match := pattern.fullmatch(detail):
            return str(text) % match.groupdict()
    return gettext("This was not accepted: %(reason)s") % {"reason": detail}
