"""Keyset pages: what is selected, what is shown, and where the links lead."""

from collections.abc import Iterable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mythoughts_chassis.inputs import MAX_ID
from mythoughts_chassis.pagination import Page, PageQuery
from mythoughts_chassis.problems import BadInput


class Filtered(PageQuery, frozen=True, kw_only=True, omit_defaults=True):
    """A page with a filter."""

    search: str = ""


@dataclass(frozen=True)
class Entry:
    """An entry of a list."""

    id: int


def page_of(query: PageQuery, ids: Iterable[int]) -> Page[Entry]:
    """The page of a list with these ids, read as from a database: one more than the limit."""
    matching = [number for number in ids if query.above < number < query.below]
    rows = sorted(matching, reverse=not query.ascending)[: query.limit + 1]
    return query.page([Entry(number) for number in rows])


def ids_on(page: Page[Entry]) -> list[int]:
    """The ids of the entries, in the order in which they are shown."""
    return [entry.id for entry in page.items]


def test_bounds_are_open_by_default() -> None:
    """Without cursors a page covers all ids, newest first."""
    page = PageQuery()

    assert (page.above, page.below, page.ascending, page.limit) == (0, MAX_ID, False, 20)


@pytest.mark.parametrize(
    ("cursors", "above", "below", "ascending"),
    [
        ({"max_id": 9}, 0, 9, False),
        ({"since_id": 3}, 3, MAX_ID, False),
        ({"min_id": 3}, 3, MAX_ID, True),
        ({"min_id": 0}, 0, MAX_ID, True),
        ({"max_id": 0}, 0, 0, False),
        ({"since_id": 3, "max_id": 9}, 3, 9, False),
        ({"min_id": 3, "max_id": 9}, 3, 9, True),
    ],
)
def test_cursors_are_bounds(
    cursors: dict[str, int], above: int, below: int, ascending: bool
) -> None:
    """Cursors set the range of ids, and the end from which the page is filled."""
    page = PageQuery(**cursors)

    assert (page.above, page.below, page.ascending) == (above, below, ascending)


def test_cursors_that_contradict_are_refused() -> None:
    """`since_id` and `min_id` exclude each other."""
    with pytest.raises(BadInput) as raised:
        PageQuery(since_id=1, min_id=1)

    assert raised.value.errors[0].field == "min_id"


@pytest.mark.parametrize(
    ("query", "ids", "shown", "older_than", "newer_than"),
    [
        # One entry beyond the limit is not shown, but means that there are older ones.
        (PageQuery(limit=2), [9, 8, 7], [9, 8], 8, 9),
        # Exactly as many entries as the limit: the end of the list.
        (PageQuery(limit=2), [9, 8], [9, 8], None, 9),
        # With `min_id`, entries are read oldest first and shown newest first.
        (PageQuery(limit=2, min_id=5), [6, 7, 8], [7, 6], 6, 7),
        # Nothing is older than the first entry after 0.
        (PageQuery(limit=2, min_id=0), [1, 2, 3], [2, 1], None, 2),
        (PageQuery(limit=2), [], [], None, None),
    ],
)
def test_page_is_newest_first_and_knows_its_neighbours(
    query: PageQuery,
    ids: list[int],
    shown: list[int],
    older_than: int | None,
    newer_than: int | None,
) -> None:
    """A page shows up to `limit` entries, and where older and newer entries begin."""
    page = page_of(query, ids)

    assert (ids_on(page), page.older_than, page.newer_than) == (shown, older_than, newer_than)


def link(query: PageQuery, *, older_than: int | None = None, newer_than: int | None = None) -> str:
    """The Link header of a page with these neighbours."""
    return query.link("/a", Page([], older_than=older_than, newer_than=newer_than))


def test_page_without_neighbours_has_no_link() -> None:
    """A page without neighbours has no links."""
    assert link(PageQuery()) == ""


def test_page_links_to_both_sides() -> None:
    """`next` is older than the last entry, `prev` right after the first."""
    assert link(PageQuery(), older_than=7, newer_than=9) == (
        '</a?max_id=7>; rel="next", </a?min_id=9>; rel="prev"'
    )


def test_last_page_links_back_only() -> None:
    """Without older entries there is no `next` link."""
    assert link(PageQuery(), newer_than=9) == '</a?min_id=9>; rel="prev"'


def test_link_keeps_filters_and_limit() -> None:
    """The client's choices are kept, escaped; defaults are left out."""
    page = Filtered(search="a&b ü>", limit=5, max_id=20)

    assert link(page, newer_than=9) == ('</a?limit=5&search=a%26b+%C3%BC%3E&min_id=9>; rel="prev"')


def test_next_keeps_the_lower_bound() -> None:
    """The next page stays above `since_id`."""
    both = link(PageQuery(since_id=3), older_than=9, newer_than=9)

    assert both.startswith('</a?max_id=9&since_id=3>; rel="next"')


@settings(derandomize=True, database=None, deadline=None)
@given(ids=st.sets(st.integers(1, 60), max_size=30), limit=st.integers(1, 6))
def test_pages_backwards_and_forwards_show_the_same(ids: set[int], limit: int) -> None:
    """Paging to older entries and back with `min_id` shows each entry once in each direction."""
    older: list[int] = []
    page = PageQuery(limit=limit)
    while shown := ids_on(page_of(page, ids)):
        older += shown
        page = PageQuery(limit=limit, max_id=shown[-1])
    newer: list[int] = []
    page = PageQuery(limit=limit, min_id=0)
    while shown := ids_on(page_of(page, ids)):
        newer = shown + newer
        page = PageQuery(limit=limit, min_id=shown[0])

    assert older == newer == sorted(ids, reverse=True)
