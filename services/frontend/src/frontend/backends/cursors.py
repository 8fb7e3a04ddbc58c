"""Pages of the backends' lists, and the cursors that lead from one page to the next.

The cursor in a page's own address (`?max_id=17`) is passed to the backend. The Link header (RFC
8288) of the answer contains the cursors of the neighbouring pages:

    </api/thoughts?search=rain&max_id=17>; rel="next", <...&min_id=36>; rel="prev"
"""

import re
from collections.abc import Mapping
from typing import Generic, Literal, NamedTuple, Protocol, TypeVar

ENTRIES_A_PAGE = 20

_LINK = re.compile(r'[?&](max_id|min_id)=([0-9]+)[^<>]*>\s*;\s*rel="?(next|prev)"?', re.ASCII)
_ID = re.compile(r"[0-9]{1,19}", re.ASCII)


class Entry(Protocol):
    """Anything that can be listed."""

    @property
    def id(self) -> int:
        """The id that cursors refer to."""


E = TypeVar("E", bound=Entry)


class Cursor(NamedTuple):
    """One end of a page: the entries older than `max_id`, or those newer than `min_id`."""

    name: Literal["max_id", "min_id"]
    entry_id: str

    @property
    def parameters(self) -> dict[str, str]:
        """The cursor as query parameters."""
        return {self.name: self.entry_id}


class EntryPage(NamedTuple, Generic[E]):
    """A page of a list, newest first, with the cursors of the neighbouring pages."""

    entries: list[E]
    older: Cursor | None
    newer: Cursor | None


def cursor_in(parameters: Mapping[str, str]) -> Cursor | None:
    """Return the cursor among the query parameters, or None if there is no valid one."""
    for name in ("max_id", "min_id"):
        entry_id = parameters.get(name, "")
        if _ID.fullmatch(entry_id):
            return Cursor(name, entry_id)
    return None


def page_of(entries: list[E], link: str, cursor: Cursor | None) -> EntryPage[E]:
    """Return the page at `cursor`; `link` is the Link header of the backend's answer.

    When paging back, the answer has one extra entry if there are even newer ones.
    """
    shown = entries[-ENTRIES_A_PAGE:]
    linked = _linked_cursors(link)
    older = linked.get("next")
    # The header always has a cursor for newer entries; without a `cursor` the page is the newest.
    newer = linked.get("prev") if cursor is not None else None
    if cursor is not None and cursor.name == "min_id" and shown:
        after_shown = Cursor("min_id", str(shown[0].id))
        if len(entries) > len(shown):
            newer = after_shown
        elif newer == after_shown:
            # There are no newer entries; a search that ended early has a different cursor.
            newer = None
    return EntryPage(shown, older, newer)


def older_cursor(link: str) -> Cursor | None:
    """Return the cursor of the next older page; `link` is the Link header of this one."""
    return _linked_cursors(link).get("next")


def _linked_cursors(link: str) -> dict[str, Cursor | None]:
    return {
        relation: cursor_in({name: entry_id}) for name, entry_id, relation in _LINK.findall(link)
    }
