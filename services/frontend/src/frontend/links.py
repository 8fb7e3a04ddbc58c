"""The web addresses in a text: where each begins and ends, and where it leads.

An address leads to what a person reads, and where that is not sure it is no link:

- It begins with http:// or https://, and ends before white space, quotation marks, full-width
  punctuation, and what belongs to the sentence around it: a full stop, a bracket that was opened
  before the address, the 's of a genitive.
- The host is what stands there, by UTS #46 and IDNA 2008 (RFC 5891), with the emoji that browsers
  take as well. A user's name before it, a number that browsers read as an IP address, and
  characters that cannot be seen make it no link.
- In scripts without spaces a text goes on directly after an address. No top-level domain mixes
  them with ASCII letters, so `https://example.com很好` ends after `com`. In a path they belong to
  the address after anything but an ASCII letter or digit: `/wiki/東京` is whole, and
  `https://example.com/a很好` is no link, because it may be one page or the other.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple
from unicodedata import bidirectional
from urllib.parse import quote

import idna

# Thai to Khmer, kana, ideographs, Hangul; and emoji, which stand beside words in the same way.
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
    (?P<host>\[[0-9A-Fa-f:.]+\]|[^{_NOT_IN_HOST}]++) (?P<port>:[0-9]+)?+
    # Not where another host could be meant: after a user's name, or before something that is not
    # in a host, though what follows looks like the rest of one.
    (?! [^{_NOT_IN_HOST}{_UNSPACED}] | :/ | [%\\] | [^{_ENDS}/?\#()\[\]]*@ )
    (?! [。．｡]{_LETTER} | [^\w\s/?\#]{_LETTER}[\w-]*[./]\w )
    (?P<rest>(?:[^{_ENDS}]|"[\w-]+"(?!\w))*)""",
    re.VERBOSE,
)
# An underscore may be in the name of a machine, not in that of a domain.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_NAME = re.compile(
    rf"(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{{0,61}}[A-Za-z0-9_])?\.)*(?:{_LABEL}\.)?{_LABEL}\.?"
)
_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9A-Fa-f]*)\.?", re.ASCII)
_ONE_EMOJI = re.compile(f"[{_EMOJI}]")
# A host, and the text that goes on after its last label.
_HOST_AND_TEXT = re.compile(rf"(.*\.[A-Za-z0-9-]*[A-Za-z0-9])[{_UNSPACED}][^.]*\Z")
_PATH_OR_TEXT = re.compile(f"[A-Za-z0-9][{_UNSPACED}]")
_NOT_AT_THE_END = re.compile(r"(?:[.,;:!?*_~|(\[{]|'s|&[A-Za-z0-9]+;)+\Z", re.ASCII)
# The scripts that need a joiner have it between their letters.
_JOINER = re.compile("(?<=[^\\x00-\\x7f])[\u200c\u200d]")
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
# They can make the whole line read in another order.
_REORDERS = re.compile("[\u202a-\u202e\u2066-\u2069]")

_CLOSING = {")": "(", "]": "[", "}": "{"}
_KEPT = "!#$%&'()*+,/:;=?@[]^`{|}~"
_MAX_PORT = 65_535
_MAX_HOST_CHARACTERS = 253


class Link(NamedTuple):
    """An address: where it is in the text, and its `href`, in ASCII."""

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
    """Return what of `rest`, which begins with / ? or #, belongs to the address."""
    rest = rest[: _end_of_brackets(rest)]
    while True:
        shorter = _NOT_AT_THE_END.sub("", rest)
        if shorter.endswith("'") and shorter.count("'") % 2:
            shorter = shorter[:-1]
        if shorter == rest:
            return rest
        rest = shorter


def _end_of_brackets(rest: str) -> int:
    """Return where the first bracket closes that was not opened in `rest`, or its end."""
    opened: list[str] = []
    for position, character in enumerate(rest):
        if character in _CLOSING.values():
            opened.append(character)
        elif character in _CLOSING and (not opened or opened.pop() != _CLOSING[character]):
            return position
    return len(rest)


@lru_cache(maxsize=1024)
def _ascii_host(host: str) -> str | None:
    """Return the host as it stands in an `href`, None if there can be no such host."""
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
    """Return an internationalised name in ASCII; raises `ValueError` for none."""
    name = idna.uts46_remap(host)
    labels = name.split(".")
    if len(labels) == 1:
        raise ValueError("a single label")
    if any(bidirectional(character) in ("R", "AL", "AN") for character in name):
        for label in filter(None, labels):
            # What goes from right to left sets rules for the other labels too (RFC 5893).
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
        # IDNA 2008 has no symbols; what stands around them is still checked by it.
        _ascii_label(_ONE_EMOJI.sub("0", label))
        return "xn--" + label.encode("punycode").decode("ascii")
    return idna.alabel(label).decode("ascii")
