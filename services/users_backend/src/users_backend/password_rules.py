"""Refuses new passwords that are easy to guess, as zxcvbn rates them.

Any character is allowed, and none is required. zxcvbn knows common passwords, words, names, dates,
rows of keys and repetitions, also backwards and with signs for letters.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mythoughts_chassis.problems import BadInput, FieldError
from mythoughts_chassis.settings import Secret

# A password that an attacker is expected to try earlier is refused.
MIN_GUESSES = 1_000_000
EASY = "is too easy to guess"
COMMON = f"{EASY}: it is little more than a common password"
OF_NAMES = f"{EASY}: it is little more than your name or the name of this site"
PRESENT = "is the current password"

_SITE = ("mythoughts", "my thoughts", "thoughts")
# zxcvbn takes 0.7 ms for most passwords, but seconds for long ones full of signs for letters. A
# password is as hard to guess as its hardest part of this length, which takes 55 ms at most.
_PART = 16


def check_new_password(
    password: Secret, username: str, *, field: str = "password", present: Secret | None = None
) -> None:
    """Raise `BadInput`, for this field, if the password is easy to guess for this user.

    Likewise if it is the present one. Not for several threads at once.
    """
    if present is not None and as_hashed(password.reveal()) == as_hashed(present.reveal()):
        raise BadInput(errors=[FieldError(field, PRESENT)])
    if fault := _fault(_normal(password.reveal()), _names(username)):
        raise BadInput(errors=[FieldError(field, fault)])


def as_hashed(password: str) -> str:
    """Return the password in the form that is hashed, whichever form the keyboard sends.

    That is Unicode's form NFC (RFC 8265, OpaqueString).
    """
    return unicodedata.normalize("NFC", password)


def _fault(password: str, names: list[str]) -> str | None:
    from zxcvbn import zxcvbn  # noqa: PLC0415 (14 MiB that logins do not need)

    dictionaries: set[str] = set()
    for part in _parts(password):
        rating = zxcvbn(part, names)
        if rating["guesses"] >= MIN_GUESSES:
            return None
        dictionaries.update(_dictionaries(rating["sequence"]))
    if "user_inputs" in dictionaries:
        return OF_NAMES
    return COMMON if "passwords" in dictionaries else EASY


def _dictionaries(matches: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the names of zxcvbn's dictionaries that the parts of a password are from."""
    for match in matches:
        if match["pattern"] == "dictionary":
            yield match["dictionary_name"]
        elif match["pattern"] == "repeat":
            yield from _dictionaries(match["base_matches"])


def _names(username: str) -> list[str]:
    """Return what an attacker would try first: names as a whole, their words and parts."""
    name = _normal(username)
    words = name.split()
    return [name, *words, "".join(words), *_parts(name), *_SITE]


def _parts(text: str) -> list[str]:
    return [text[start : start + _PART] for start in range(0, len(text), _PART)]


def _normal(text: str) -> str:
    """Return the text with characters in their usual form, for example not in full width."""
    # zxcvbn raises `ValueError` for a line break after a date.
    return unicodedata.normalize("NFKC", text).replace("\n", " ")
