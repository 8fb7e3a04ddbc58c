"""Refuses new passwords that are guessed first: a blocklist, as NIST SP 800-63B asks for.

The blocklist has two parts: the 100,000 most common passwords, and the names of the user and of
the site. Any character is allowed, and none is required. Case makes no difference, nor does the
form of characters, such as full width.
"""

import gzip
import unicodedata
from collections.abc import Sequence
from functools import cache
from importlib import resources

from mythoughts_chassis.problems import BadInput, FieldError
from mythoughts_chassis.settings import Secret

COMMON = "is among the 100,000 most common passwords"
OF_NAMES = "is little more than your name or the name of this site"
PRESENT = "is the current password"

# What is left of a password without the names has at least this many letters.
MIN_OTHER_LETTERS = 4
_SITE = ("mythoughts", "thoughts")
_SHORTEST_NAME = 2
# The digits and signs that stand for letters; 1, ! and | stand for i or l.
_SIGNS = [str.maketrans("034578@$+1!|", "oeastbast" + 3 * letter) for letter in "il"]


def check_new_password(
    password: Secret, username: str, *, field: str = "password", present: Secret | None = None
) -> None:
    """Raise `BadInput`, for this field, if the password is easy to guess for this user.

    Likewise if it is the present one.
    """
    folded = _folded(password.reveal())
    if present is not None and password.reveal() == present.reveal():
        raise BadInput(errors=[FieldError(field, PRESENT)])
    if f"\n{folded}\n".encode() in _common_passwords():
        raise BadInput(errors=[FieldError(field, COMMON)])
    if _is_of_names(folded, _names(username)):
        raise BadInput(errors=[FieldError(field, OF_NAMES)])


@cache
def _common_passwords() -> bytes:
    """Return the list: in lower case, each line a password of 8 or more characters.

    It is made from the 100,000 most common of Mark Burnett's ten million passwords, which are in
    the public domain. Searching it takes about 0.1 ms, a set would take ten times the memory.
    """
    file = resources.files(__package__) / "common_passwords.txt.gz"
    return gzip.decompress(file.read_bytes())


def _is_of_names(folded: str, names: Sequence[str]) -> bool:
    readings = (folded, *map(folded.translate, _SIGNS))
    return any(_has_little_but(names, _squeezed(reading)) for reading in readings)


def _has_little_but(names: Sequence[str], text: str) -> bool:
    rest = text
    for name in names:
        rest = rest.replace(name, " ")
    return rest != text and sum(map(str.isalpha, rest)) < MIN_OTHER_LETTERS


def _names(username: str) -> list[str]:
    """Return the names, forwards and backwards, the longest first."""
    folded = _folded(username)
    names = {*_SITE, *map(_squeezed, (folded, *folded.split()))}
    both = {name[::way] for name in names if len(name) >= _SHORTEST_NAME for way in (1, -1)}
    return sorted(both, key=len, reverse=True)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _squeezed(text: str) -> str:
    """Return only letters and digits."""
    return "".join(filter(str.isalnum, text))
