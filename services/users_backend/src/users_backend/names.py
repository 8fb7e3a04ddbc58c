"""Defines which user names are allowed, and which of them look alike.

A name is one or more words separated by single spaces. PRECIS, profile UsernameCasePreserved
(RFC 8265), defines what a word may contain, with the Unicode version of this Python. Marks are
checked more strictly, because PRECIS accepts any mark anywhere. The skeletons of UTS #39,
"Unicode Security Mechanisms", define which names look alike.
"""

import re
import unicodedata
from bisect import bisect_right
from collections import ChainMap
from collections.abc import Mapping
from functools import cache
from typing import Any

from precis_i18n import get_profile

MAX_USERNAME_CHARACTERS = 50

_WORDS = get_profile("UsernameCasePreserved")

# PRECIS's reasons in plain words. Other reasons mean that a character is allowed in other places
# (RFC 5892, A).
_KINDS = {
    "controls": "it is a control character",
    "exceptions": "it only lengthens a word or repeats a character",
    "has_compat": "it is a variant of ordinary characters; use those instead",
    "old_hangul_jamo": "it is only part of a syllable; use whole syllables instead",
    "other": "it is not a letter, digit or mark",
    "other_letter_digits": "it is not an ordinary letter, digit or mark",
    "precis_ignorable_properties": "it is invisible",
    "punctuation": "only ASCII punctuation is allowed",
    "spaces": "only the ordinary space is allowed",
    "symbols": "it is a symbol",
    "unassigned": "it is not assigned in Unicode",
}
_ANY_SCRIPT = ("Zinh", "Zyyy")

# Some languages need these inside words, as did emoji in names of earlier releases.
_JOINERS = (0x200C, 0x200D, 0xFE0E, 0xFE0F)
_HIDDEN_DOT = re.compile("(?<=[ij])\u0307")


def enforce(name: str) -> str:
    """Return the name in the form in which it is stored.

    Raises a `ValueError` that says in plain words what is not allowed and where.
    """
    name = unicodedata.normalize("NFC", name)
    words = name.split(" ")
    if not all(words):
        raise ValueError("must not begin or end with a space, or contain two in a row")
    starts = (match.start() for match in re.finditer("[^ ]+", name))
    enforced = " ".join(map(_enforce_word, words, starts))
    if len(enforced) > MAX_USERNAME_CHARACTERS:
        raise ValueError(
            f"must have at most {MAX_USERNAME_CHARACTERS} characters in Unicode's form NFC"
        )
    return enforced


def skeletons(name: str) -> list[str]:
    """Return one or two skeletons (UTS #39), ignoring case; names that share one look alike.

    There are two if the name contains a capital I, which looks like a small l but also equals
    the letter i, because case does not matter.
    """
    prototypes, with_capital_i = _prototypes()
    name = " ".join(name.split())
    return sorted({_skeleton(name, prototypes), _skeleton(name, with_capital_i)})


def _enforce_word(word: str, start: int) -> str:
    try:
        enforced = _WORDS.enforce(word)
    except UnicodeEncodeError as error:
        kind = error.reason.rpartition("/")[2]
        if kind == "bidi_rule":
            raise ValueError(
                "must not mix right-to-left letters with others in one word, "
                "and a right-to-left word must begin with a letter"
            ) from None
        fault = _KINDS.get(kind, "it is not allowed in this position")
        raise _refused(error.object[error.start], start + error.start, fault) from None
    _check_marks(enforced, start)
    return enforced


def _check_marks(word: str, start: int) -> None:
    """Raise `ValueError` for a mark without a letter of its script, or a repeated one (UTS #39).

    Such marks may be invisible: a Khitan filler after a Latin letter, a stroke over a stroke.
    """
    base = previous = ""
    decomposed = unicodedata.normalize("NFD", word)
    for index, char in enumerate(decomposed):
        category = unicodedata.category(char)
        if category[0] == "M":
            if fault := _fault_of_mark(char, previous, base):
                before = unicodedata.normalize("NFC", decomposed[:index])
                raise _refused(char, start + len(before), fault)
        elif category != "Cf":
            base = char
        previous = char


def _fault_of_mark(mark: str, previous: str, base: str) -> str | None:
    if not base:
        return "a mark needs a letter before it"
    if mark == previous:
        return "a mark cannot be repeated"
    if _script(mark) not in (*_ANY_SCRIPT, _script(base)):
        return "it belongs to a different script than its letter"
    return None


def _refused(char: str, index: int, why: str) -> ValueError:
    name = unicodedata.name(char, "")
    code = f"U+{ord(char):04X} {name}".rstrip()
    return ValueError(f"must not contain {code} (character {index + 1}): {why}")


def _skeleton(text: str, prototypes: Mapping[int, Any]) -> str:
    """Return the skeleton of `text`, with case folded as well.

    Folding can produce letters that have a prototype themselves: the result is stable after three
    rounds.
    """
    for _ in range(4):
        drawn = unicodedata.normalize("NFD", text).translate(prototypes)
        text = _HIDDEN_DOT.sub("", unicodedata.normalize("NFD", drawn)).casefold()
    return text


@cache
def _prototypes() -> tuple[Mapping[int, Any], Mapping[int, Any]]:
    """Return the prototype of each character in skeletons, without and with capital I as i."""
    from homoglyph.data import load_prototypes  # noqa: PLC0415 (3 MiB that logins do not need)

    prototypes: dict[int, Any] = load_prototypes() | dict.fromkeys(_JOINERS)
    small_i = {c: "i" for c, like in prototypes.items() if like == "l" and chr(c).isupper()}
    return prototypes, ChainMap(small_i, prototypes)


def _script(char: str) -> str:
    from homoglyph.data import load_ucd  # noqa: PLC0415 (3 MiB that logins do not need)

    ranges = load_ucd()["scriptRanges"]
    return str(ranges[bisect_right(ranges, ord(char), key=lambda entry: entry[0]) - 1][2])
