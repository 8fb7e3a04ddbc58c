"""Keyset pages: what is selected, what is shown, and where the links lead."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mythoughts_chassis.inputs import MAX_ID
from mythoughts_chassis.pagination import PageQuery
from mythoughts_chassis.problems import BadInput


class Filtered(PageQuery, frozen=True, kw_only=True, omit_defaults=True):
    """A page with a filter."""

    search: str = ""


def ask(page: PageQuery, ids: list[int]) -> list[int]:
    """The ids that a database returns for a page: in its order, one more than the limit."""
    matching = [number for number in ids if page.above < number < page.below]
    return sorted(matching, reverse=not page.ascending)[: page.limit + 1]


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


def test_entry_too_many_tells_of_more() -> None:
    """One entry beyond the limit is not shown, but means that there are older ones."""
    assert PageQuery(limit=2).cut([9, 8, 7]) == ([9, 8], True)


def test_last_page_has_no_more() -> None:
    """Exactly as many entries as the limit means the end."""
    assert PageQuery(limit=2).cut([9, 8]) == ([9, 8], False)


def test_page_that_was_read_upwards_is_turned_round() -> None:
    """With `min_id`, entries are read oldest first and shown newest first."""
    assert PageQuery(limit=2, min_id=5).cut([6, 7, 8]) == ([7, 6], True)


def test_page_after_nothing_has_nothing_older() -> None:
    """With `min_id` 0 there is nothing older."""
    assert PageQuery(limit=2, min_id=0).cut([1, 2, 3]) == ([2, 1], False)


def test_page_without_neighbours_has_no_link() -> None:
    """A page without neighbours has no links."""
    assert PageQuery().link("/a", older_than=None, newer_than=None) == ""


def test_page_links_to_both_sides() -> None:
    """`next` is older than the last entry, `prev` right after the first."""
    assert PageQuery().link("/a", older_than=7, newer_than=9) == (
        '</a?max_id=7>; rel="next", </a?min_id=9>; rel="prev"'
    )


def test_last_page_links_back_only() -> None:
    """Without older entries there is no `next` link."""
    assert PageQuery().link("/a", older_than=None, newer_than=9) == '</a?min_id=9>; rel="prev"'


def test_link_keeps_filters_and_limit() -> None:
    """The client's choices are kept, escaped; defaults are left out."""
    page = Filtered(search="a&b ü>", limit=5, max_id=20)

    assert page.link("/a", older_than=None, newer_than=9) == (
        '</a?limit=5&search=a%26b+%C3%BC%3E&min_id=9>; rel="prev"'
    )


def test_next_keeps_the_lower_bound() -> None:
    """The next page stays above `since_id`."""
    link = PageQuery(since_id=3).link("/a", older_than=9, newer_than=9)

    assert link.startswith('</a?max_id=9&since_id=3>; rel="next"')


@settings(derandomize=True, database=None)
@given(ids=st.sets(st.integers(1, 60), max_size=30), limit=st.integers(1, 6))
def test_pages_backwards_and_forwards_show_the_same(ids: set[int], limit: int) -> None:
    """Paging to older entries and back with `min_id` shows each entry once in each direction."""
    older: list[int] = []
    page = PageQuery(limit=limit)
    while shown := page.cut(ask(page, sorted(ids)))[0]:
        older += shown
        page = PageQuery(limit=limit, max_id=shown[-1])
    newer: list[int] = []
    page = PageQuery(limit=limit, min_id=0)
    while shown := page.cut(ask(page, sorted(ids)))[0]:
        newer = shown + newer
        page = PageQuery(limit=limit, min_id=shown[0])

    assert older == newer == sorted(ids, reverse=True)
