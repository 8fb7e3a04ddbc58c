"""Finds the web addresses in a text: where each begins and ends, and where it leads.

A link leads where a reader expects; an address for which that is not certain is not linked:

- An address begins with http:// or https:// and ends before white space, quotation marks,
  full-width punctuation, and punctuation of the surrounding sentence: a full stop, a bracket that
  was opened before the address, a possessive 's.
- The host follows UTS #46 and IDNA 2008 (RFC 5891), plus the emoji that browsers accept. A
  user name before the host, a number that browsers read as an IP address, or invisible
  characters prevent a link.
- In scripts without spaces, text continues directly after an address. No top-level domain mixes
  them with ASCII letters, so `https://example.com很好` ends after `com`. In a path such characters
  belong to the address unless they follow an ASCII letter or digit: `/wiki/東京` is one address,
  but `https://example.com/a很好` is not linked, because its end is ambiguous.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple
from unicodedata import bidirectional
from urllib.parse import quote

import idna

# Thai to Khmer, kana, ideographs, Hangul; and emoji, which also follow words without a space.
_EMOJI = "\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3021-\u3029\u3031-\u3035"
    "\u3041-\u318f\u31a0-\u31ff\u3400-\u9fff\uac00-\ud7ff\uf900-\ufaff\uff66-\uffdc"
    f"\U00020000-\U0003ffff{_EMOJI}"
)
_ENDS = (
    '\\s<>"`\\\\\u00ab\u00bb\u2014\u2018-\u201f\u2026\u2039\u203a\u3000-\u3003\u3008-\u3020\u3030'
    "\ufe10-\ufe1f\ufe30-\ufe6f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
)
_NOT_IN_HOST = rf"{_ENDS}!#-,/:;=?@\[\]^{{|}}~"

_LETTER = rf"[^\W{_UNSPACED}]"

_ADDRESS = re.compile(
    rf"""(?<![A-Za-z0-9_+])(?P<scheme>[Hh][Tt][Tt][Pp][Ss]?://)
    (?P<host>\[[0-9A-Fa-f:.]+\]|[^{_NOT_IN_HOST}]++)
    # Not `(…)?+`: in Python 3.11.2 (Debian 12) that takes a colon without digits.
    (?:(?P<port>:[0-9]++)|(?!:[0-9]))
    # Not where another host could be meant: after a user's name, or before something that is not
    # in a host, though what follows looks like the rest of one.
    (?! [^{_NOT_IN_HOST}{_UNSPACED}] | :/ | [%\\] | [^{_ENDS}/?\#()\[\]]*@ )
    (?! [。．｡]{_LETTER} | [^\w\s/?\#]{_LETTER}[\w-]*[./]\w )
    (?P<rest>(?:[^{_ENDS}]|"[\w-]+"(?!\w))*)""",
    re.VERBOSE,
)
# Host labels may contain an underscore, the registered domain may not.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_NAME = re.compile(
    rf"(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{{0,61}}[A-Za-z0-9_])?\.)*(?:{_LABEL}\.)?{_LABEL}\.?"
)
_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9A-Fa-f]*)\.?", re.ASCII)
_ONE_EMOJI = re.compile(f"[{_EMOJI}]")
# A host, and the text that continues after its last label.
_HOST_AND_TEXT = re.compile(rf"(.*\.[A-Za-z0-9-]*[A-Za-z0-9])[{_UNSPACED}][^.]*\Z")
_PATH_OR_TEXT = re.compile(f"[A-Za-z0-9][{_UNSPACED}]")
_NOT_AT_THE_END = re.compile(r"(?:[.,;:!?*_~|(\[{]|'s|&[A-Za-z0-9]+;)+\Z", re.ASCII)
# Scripts that need a joiner use it between letters.
_JOINER = re.compile("(?<=[^\\x00-\\x7f])[\u200c\u200d]")
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
# These can change the order in which the whole line is read.
_REORDERS = re.compile("[\u202a-\u202e\u2066-\u2069]")

_CLOSING = {")": "(", "]": "[", "}": "{"}
_KEPT = "!#$%&'()*+,/:;=?@[]^`{|}~"
_MAX_PORT = 65_535
_MAX_HOST_CHARACTERS = 253


class Link(NamedTuple):
    """An address: its position in the text and its `href`, in ASCII."""

    start: int
    end: int
    href: str


def find_links(text: str) -> Iterator[Link]:
    """Yield the links in `text`, in order."""
    if _REORDERS.search(text):
        return
    position = 0
    while match := _ADDRESS.search(text, position):
        link = _link(match)
        position = link.end if link else match.end("scheme")
        if link:
            yield link


def _link(match: re.Match[str]) -> Link | None:
    scheme, host, port, rest = match.group("scheme", "host", "port", "rest")
    port = port or ""
    tail = _tail(rest) if rest[:1] in ("/", "?", "#") else ""
    if _has_unseen(host + rest) or _PATH_OR_TEXT.search(tail) or int(port[1:] or 0) > _MAX_PORT:
        return None
    if not port and not tail:
        host = _HOST_AND_TEXT.sub(r"\1", host.rstrip("."))
    ascii_host = None if _HOST_AND_TEXT.match(host) else _ascii_host(host)
    if ascii_host is None:
        return None
    end = match.end("scheme") + len(host + port + tail)
    return Link(match.start(), end, scheme + ascii_host + port + quote(tail, safe=_KEPT))


def _has_unseen(address: str) -> bool:
    return bool(_UNSEEN.search(address)) or not _JOINER.sub("", address).isprintable()


def _tail(rest: str) -> str:
    """Return the part of `rest`, which begins with / ? or #, that belongs to the address."""
    rest = rest[: _end_of_brackets(rest)]
    while True:
        shorter = _NOT_AT_THE_END.sub("", rest)
        if shorter.endswith("'") and shorter.count("'") % 2:
            shorter = shorter[:-1]
        if shorter == rest:
            return rest
        rest = shorter


def _end_of_brackets(rest: str) -> int:
    """Return the position of the first closing bracket not opened in `rest`, or its length."""
    opened: list[str] = []
    for position, character in enumerate(rest):
        if character in _CLOSING.values():
            opened.append(character)
        elif character in _CLOSING and (not opened or opened.pop() != _CLOSING[character]):
            return position
    return len(rest)


@lru_cache(maxsize=1024)
def _ascii_host(host: str) -> str | None:
    """Return the host as written in an `href`, or None if it is not a valid host."""
    try:
        if host.startswith("["):
            return f"[{IPv6Address(host[1:-1]).compressed}]"
        name = host if _is_plain(host) else _ascii_name(host)
        if _NUMBER.fullmatch(name):
            return str(IPv4Address(name))
    except ValueError:
        return None
    is_host = len(name) <= _MAX_HOST_CHARACTERS and _NAME.fullmatch(name)
    return name if is_host else None


def _is_plain(host: str) -> bool:
    return host.isascii() and "xn--" not in host.lower()


def _ascii_name(host: str) -> str:
    """Return an internationalised name in ASCII; raises `ValueError` if it is invalid."""
    name = idna.uts46_remap(host)
    labels = name.split(".")
    if len(labels) == 1:
        raise ValueError("a single label")
    if any(bidirectional(character) in ("R", "AL", "AN") for character in name):
        for label in filter(None, labels):
            # A right-to-left label imposes rules on the other labels too (RFC 5893).
            idna.check_bidi(label, check_ltr=True)
    return ".".join(map(_ascii_label, labels))


def _ascii_label(label: str) -> str:
    if label.startswith("xn--"):
        unicode_label = label[4:].encode("ascii").decode("punycode")
        if unicode_label.isascii() or _ascii_label(unicode_label) != label:
            raise ValueError("not made from a label")
        return label
    if label.isascii():
        return label
    if _ONE_EMOJI.search(label):
        # IDNA 2008 excludes symbols; it still checks the characters around them.
        _ascii_label(_ONE_EMOJI.sub("0", label))
        return "xn--" + label.encode("punycode").decode("ascii")
    return idna.alabel(label).decode("ascii")
