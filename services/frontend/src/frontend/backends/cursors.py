"""The position of a page in a list of thoughts: the cursors of the backend's lists.

The page's own address contains a cursor (`?max_id=17`), which is passed to the backend. The Link
header (RFC 8288) of its answer contains the cursors of the neighbouring pages:

    </api/thoughts?search=rain&max_id=17>; rel="next", <...&min_id=36>; rel="prev"
"""

import re
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple
from urllib.parse import parse_qs, urlsplit

THOUGHTS_A_PAGE = 20

_LINK = re.compile(r'<([^<>]*)>\s*;\s*rel="?(next|prev)"?')
_ID = re.compile(r"[0-9]{1,19}", re.ASCII)


class Cursor(NamedTuple):
    """One end of a page: the thoughts older than `max_id`, or those newer than `min_id`."""

    name: Literal["max_id", "min_id"]
    thought_id: str

    @property
    def parameters(self) -> dict[str, str]:
        """The cursor as query parameters."""
        return {self.name: self.thought_id}


def cursor_in(parameters: Mapping[str, str]) -> Cursor | None:
    """Return the cursor among the query parameters, or None if there is no valid one."""
    for name in ("max_id", "min_id"):
        thought_id = parameters.get(name, "")
        if _ID.fullmatch(thought_id):
            return Cursor(name, thought_id)
    return None


def neighbours(link: str, cursor: Cursor | None) -> tuple[Cursor | None, Cursor | None]:
    """Return the cursors of the older and the newer neighbour of the page at `cursor`.

    `link` is the Link header of the page's answer. It always has a cursor for newer thoughts;
    without a `cursor` the page is the newest, so there are none.
    """
    linked = dict(_linked_cursors(link))
    return linked.get("next"), None if cursor is None else linked.get("prev")


def _linked_cursors(link: str) -> Iterator[tuple[str, Cursor | None]]:
    for target, relation in _LINK.findall(link):
        query = parse_qs(urlsplit(target).query)
        yield relation, cursor_in({name: values[0] for name, values in query.items()})
