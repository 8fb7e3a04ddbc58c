"""Lists: their order, pages, cursors and filters."""

import pytest

from testkit.answers import texts
from testkit.http_client import HttpClient
from testkit.thoughts_sql import Sql

PATH = "/api/thoughts/"


def test_list_without_thoughts_is_empty(http: HttpClient) -> None:
    """Without thoughts the list is an empty JSON array without links."""
    answer = http.get(PATH)

    assert (answer.status, answer.body) == (200, b"[]")
    assert "Link" not in answer.headers


def test_newest_thoughts_come_first(http: HttpClient, sql: Sql) -> None:
    """A list starts with the latest thought."""
    sql.add_thoughts("one", "two", "three")

    assert texts(http.get(PATH)) == ["three", "two", "one"]


def test_page_has_twenty_thoughts(http: HttpClient, sql: Sql) -> None:
    """Without a limit a page has 20 entries."""
    sql.add_thoughts(*["thought"] * 21)

    assert len(http.get(PATH).json()) == 20


@pytest.mark.parametrize("limit", [1, 2, 99, 100])
def test_page_has_as_many_thoughts_as_asked_for(http: HttpClient, sql: Sql, limit: int) -> None:
    """`limit` may be 1 to 100."""
    sql.add_thoughts(*["thought"] * 101)

    assert len(http.get(PATH, query={"limit": limit}).json()) == limit


@pytest.mark.parametrize("parameter", ["limit", "max_id", "since_id", "min_id"])
@pytest.mark.parametrize(
    "value",
    ["", "-1", "+1", "1.0", "1e1", "abc", "1_0", "٣", " 1", "0x1", "null", str(2**63), "9" * 5000],
)
def test_number_that_is_none_is_refused(http: HttpClient, parameter: str, value: str) -> None:
    """Numbers are ASCII digits within their bounds; anything else gets 400 with the name."""
    answer = http.get(PATH, query={parameter: value})

    assert (answer.status, answer.faulty_fields) == (400, [parameter])


@pytest.mark.parametrize("limit", [0, 101, 2**31, 2**63 - 1])
def test_limit_out_of_bounds_is_refused(http: HttpClient, limit: int) -> None:
    """A limit of 0 or over 100 gets 400."""
    assert http.get(PATH, query={"limit": limit}).faulty_fields == ["limit"]


def test_max_id_gives_what_is_older(http: HttpClient, sql: Sql) -> None:
    """`max_id` selects the newest of the older thoughts."""
    added = sql.add_thoughts("one", "two", "three", "four")

    answer = http.get(PATH, query={"max_id": added[2], "limit": 1})

    assert texts(answer) == ["two"]


def test_since_id_gives_the_newest_of_what_is_newer(http: HttpClient, sql: Sql) -> None:
    """`since_id` selects the newest of the newer thoughts."""
    added = sql.add_thoughts("one", "two", "three", "four")

    answer = http.get(PATH, query={"since_id": added[0], "limit": 2})

    assert texts(answer) == ["four", "three"]


def test_min_id_gives_what_comes_right_after(http: HttpClient, sql: Sql) -> None:
    """`min_id` selects the next newer thoughts, still newest first."""
    added = sql.add_thoughts("one", "two", "three", "four")

    answer = http.get(PATH, query={"min_id": added[0], "limit": 2})

    assert texts(answer) == ["three", "two"]


def test_cursors_bound_a_range(http: HttpClient, sql: Sql) -> None:
    """`max_id` can be combined with `since_id`."""
    added = sql.add_thoughts("one", "two", "three", "four")

    answer = http.get(PATH, query={"since_id": added[0], "max_id": added[3]})

    assert texts(answer) == ["three", "two"]


def test_range_that_is_empty_has_no_thoughts(http: HttpClient, sql: Sql) -> None:
    """An empty range gets an empty list, and no error."""
    added = sql.add_thoughts("one", "two", "three")

    answer = http.get(PATH, query={"since_id": added[2], "max_id": added[0]})

    assert (answer.status, answer.json()) == (200, [])


@pytest.mark.parametrize("cursor", ["max_id", "since_id", "min_id"])
@pytest.mark.parametrize("value", [0, 2**63 - 1])
def test_cursor_at_the_edge_is_taken(http: HttpClient, cursor: str, value: int) -> None:
    """The smallest and the largest cursor are valid."""
    assert http.get(PATH, query={cursor: value}).status == 200


def test_cursors_that_contradict_each_other_are_refused(http: HttpClient) -> None:
    """`since_id` with `min_id` gets 400: they select different ends of the same range."""
    answer = http.get(PATH, query={"since_id": 1, "min_id": 1})

    assert (answer.status, answer.faulty_fields) == (400, ["min_id"])


@pytest.mark.parametrize("parameter", ["limit", "max_id", "search", "username", "unknown"])
def test_repeated_parameter_is_refused(http: HttpClient, parameter: str) -> None:
    """A repeated parameter gets 400, even with the same value."""
    answer = http.get(f"{PATH}?{parameter}=1&{parameter}=1")

    assert (answer.status, answer.faulty_fields) == (400, [parameter])


def test_every_bad_parameter_is_named(http: HttpClient) -> None:
    """One response lists everything that is wrong."""
    answer = http.get(PATH, query={"limit": 0, "max_id": "x", "search": "\x00"})

    assert sorted(answer.faulty_fields) == ["limit", "max_id", "search"]


def test_unknown_parameter_is_ignored(http: HttpClient, sql: Sql) -> None:
    """Unknown parameters change nothing."""
    sql.add_thoughts("one")

    assert texts(http.get(PATH, query={"utm_source": "x"})) == ["one"]


def test_username_gives_one_authors_thoughts(http: HttpClient, sql: Sql) -> None:
    """`username` filters by author."""
    sql.add_thoughts("his", username="bruce")
    sql.add_thoughts("theirs", username="stephen", user_id=2)

    assert texts(http.get(PATH, query={"username": "stephen"})) == ["theirs"]


@pytest.mark.parametrize("asked", ["BRUCE", "Bruce", "bRuCe"])
def test_username_is_found_in_any_case(http: HttpClient, sql: Sql, asked: str) -> None:
    """Usernames are unique regardless of case, so they are found regardless of case."""
    sql.add_thoughts("his", username="Bruce")

    assert texts(http.get(PATH, query={"username": asked})) == ["his"]


@pytest.mark.parametrize("asked", ["bruc", "%", "b_uce", "bruce ", "stephen", "'", "x" * 50])
def test_other_username_has_no_thoughts(http: HttpClient, sql: Sql, asked: str) -> None:
    """An unknown name gets an empty list; none of its characters is special."""
    sql.add_thoughts("his", username="bruce")

    assert http.get(PATH, query={"username": asked}).json() == []


def test_username_that_is_too_long_is_refused(http: HttpClient) -> None:
    """A name longer than any user's gets 400."""
    assert http.get(PATH, query={"username": "x" * 51}).faulty_fields == ["username"]


def test_own_list_has_own_thoughts_only(http: HttpClient, sql: Sql, stephen: str) -> None:
    """/api/me/thoughts/ lists the caller's thoughts."""
    sql.add_thoughts("his", username="bruce", user_id=1)
    sql.add_thoughts("mine", username="stephen", user_id=2)

    answer = http.get("/api/me/thoughts/", token=stephen)

    assert texts(answer) == ["mine"]


def test_own_list_can_be_searched(http: HttpClient, sql: Sql, bruce: str) -> None:
    """The own list accepts the same search as everybody's."""
    sql.add_thoughts("apple", "pear")

    answer = http.get("/api/me/thoughts/", token=bruce, query={"search": "APP"})

    assert texts(answer) == ["apple"]


def test_own_list_does_not_filter_by_author(http: HttpClient, sql: Sql, bruce: str) -> None:
    """The own list has no parameter `username`."""
    sql.add_thoughts("mine")

    answer = http.get("/api/me/thoughts/", token=bruce, query={"username": "stephen"})

    assert texts(answer) == ["mine"]
