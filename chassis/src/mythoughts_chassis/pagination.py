"""Keyset pagination by id, newest first, as in Mastodon's API.

`max_id` selects entries older than an id, `since_id` the newest of the newer entries,
`min_id` those right after the id. The `Link` header (RFC 8288) points to the next pages:

    Link: </api/thoughts?search=a&max_id=41>; rel="next",
          </api/thoughts?search=a&min_id=60>; rel="prev"

The references are path-absolute, so that no `Host` header is trusted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, Protocol, TypeVar
from urllib.parse import urlencode

import msgspec
from msgspec import Meta

from mythoughts_chassis.inputs import INT64, MAX_ID
from mythoughts_chassis.problems import BadInput, FieldError

MAX_LIMIT = 100

_CURSORS = ("max_id", "since_id", "min_id")

_Id = Annotated[int, Meta(ge=0, le=MAX_ID, extra_json_schema=INT64)]


class HasId(Protocol):
    """An entry of a list."""

    @property
    def id(self) -> int:
        """Its id."""


Item = TypeVar("Item", bound=HasId)


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Entries, newest first, and the ids that older and newer pages begin after, None for none."""

    items: list[Item]
    older_than: int | None
    newer_than: int | None


class PageQuery(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The query parameters that select a page; lists with filters add their own."""

    limit: Annotated[int, Meta(ge=1, le=MAX_LIMIT, description="Maximum number of entries.")] = 20
    max_id: Annotated[_Id, Meta(description="Only entries older than this id.")] | None = None
    since_id: Annotated[_Id, Meta(description="Only entries newer than this id.")] | None = None
    min_id: Annotated[_Id, Meta(description="Only the entries right after this id.")] | None = None

    def __post_init__(self) -> None:
        if self.since_id is not None and self.min_id is not None:
            raise BadInput(errors=[FieldError("min_id", "cannot be combined with since_id")])

    @property
    def above(self) -> int:
        """The lower bound: all ids are greater."""
        return self.min_id or self.since_id or 0

    @property
    def below(self) -> int:
        """The upper bound: all ids are smaller; the largest id if there is no bound."""
        return MAX_ID if self.max_id is None else self.max_id

    @property
    def ascending(self) -> bool:
        """Whether the entries nearest to the lower bound are requested."""
        return self.min_id is not None

    @property
    def order(self) -> str:
        """The order of the ids, in SQL."""
        return "ASC" if self.ascending else "DESC"

    def page(self, rows: Sequence[Item]) -> Page[Item]:
        """Return the page that consists of `rows`.

        These are up to `limit + 1` entries in the requested order; the extra one shows that there
        are more.
        """
        items = list(rows[: self.limit])
        has_older = len(rows) > self.limit
        if self.ascending:
            items.reverse()
            has_older = bool(self.min_id)
        return Page(
            items,
            older_than=items[-1].id if items and has_older else None,
            newer_than=items[0].id if items else None,
        )

    def link(self, path: str, page: Page[Item]) -> str:
        """Return the `Link` header of a page of the list at `path`."""
        references = []
        if page.older_than is not None:
            range_end = {} if self.since_id is None else {"since_id": self.since_id}
            cursors = {"max_id": page.older_than, **range_end}
            references.append(self._reference(path, "next", cursors))
        if page.newer_than is not None:
            references.append(self._reference(path, "prev", {"min_id": page.newer_than}))
        return ", ".join(references)

    def _reference(self, path: str, relation: str, cursors: dict[str, int]) -> str:
        # Defaults are omitted; what remains are the filters and a limit set by the client.
        given = msgspec.to_builtins(self)
        filters = {name: value for name, value in given.items() if name not in _CURSORS}
        return f'<{path}?{urlencode(filters | cursors)}>; rel="{relation}"'
