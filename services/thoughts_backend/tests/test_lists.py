"""Lists: their order, pages, cursors, filters and Link headers."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.tests.http_client import Answer, HttpClient
from services.thoughts_backend.tests.sql import Sql

PATH = "/api/thoughts/"


def links(answer: Answer) -> dict[str, str]:
    """The references of a Link header by their relation."""
    header = answer.headers.get("Link", "")
    return {relation: target for target, relation in re.findall(r'<([^>]*)>; rel="(\w+)"', header)}


def texts(answer: Answer) -> list[str]:
    """The texts of a list."""
    return [thought["text"] for thought in answer.json()]


def ids(answer: Answer) -> list[int]:
    """The ids of a list."""
    return [thought["id"] for thought in answer.json()]


def walk(http: HttpClient, target: str | None, relation: str, **options: Any) -> Iterator[list[int]]:
    """The ids of each page, following the links of one relation to the end."""
    while target:
        answer = http.get(target, **options)
        yield ids(answer)
        target = links(answer).get(relation)


def test_list_without_thoughts_is_empty(http: HttpClient) -> None:
    """No thoughts are an empty JSON array, and no links."""
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
    """Numbers are ASCII digits within their bounds; anything else answers 400 and is named."""
    answer = http.get(PATH, query={parameter: value})

    assert (answer.status, answer.faulty_fields) == (400, [parameter])


@pytest.mark.parametrize("limit", [0, 101, 2**31, 2**63 - 1])
def test_limit_out_of_bounds_is_refused(http: HttpClient, limit: int) -> None:
    """A limit of 0 or over 100 answers 400."""
    assert http.get(PATH, query={"limit": limit}).faulty_fields == ["limit"]


def test_max_id_gives_what_is_older(http: HttpClient, sql: Sql) -> None:
    """`max_id` asks for the newest of what is older."""
    added = sql.add_thoughts("one", "two", "three", "four")

    answer = http.get(PATH, query={"max_id": added[2], "limit": 1})

    assert texts(answer) == ["two"]


def test_since_id_gives_the_newest_of_what_is_newer(http: HttpClient, sql: Sql) -> None:
    """`since_id` asks for the newest of what is newer."""
    added = sql.add_thoughts("one", "two", "three", "four")

    answer = http.get(PATH, query={"since_id": added[0], "limit": 2})

    assert texts(answer) == ["four", "three"]


def test_min_id_gives_what_comes_right_after(http: HttpClient, sql: Sql) -> None:
    """`min_id` asks for what is next newer, still newest first."""
    added = sql.add_thoughts("one", "two", "three", "four")

    answer = http.get(PATH, query={"min_id": added[0], "limit": 2})

    assert texts(answer) == ["three", "two"]


def test_cursors_bound_a_range(http: HttpClient, sql: Sql) -> None:
    """`max_id` goes together with `since_id` and bounds it."""
    added = sql.add_thoughts("one", "two", "three", "four")

    answer = http.get(PATH, query={"since_id": added[0], "max_id": added[3]})

    assert texts(answer) == ["three", "two"]


def test_range_that_is_empty_has_no_thoughts(http: HttpClient, sql: Sql) -> None:
    """A range that ends before it begins is empty, and no error."""
    added = sql.add_thoughts("one", "two", "three")

    answer = http.get(PATH, query={"since_id": added[2], "max_id": added[0]})

    assert (answer.status, answer.json()) == (200, [])


@pytest.mark.parametrize("cursor", ["max_id", "since_id", "min_id"])
@pytest.mark.parametrize("value", [0, 2**63 - 1])
def test_cursor_at_the_edge_is_taken(http: HttpClient, cursor: str, value: int) -> None:
    """The smallest and the largest cursor are no error."""
    assert http.get(PATH, query={cursor: value}).status == 200


def test_cursors_that_contradict_each_other_are_refused(http: HttpClient) -> None:
    """`since_id` with `min_id` answers 400: each asks for another end of the same range."""
    answer = http.get(PATH, query={"since_id": 1, "min_id": 1})

    assert (answer.status, answer.faulty_fields) == (400, ["min_id"])


@pytest.mark.parametrize("parameter", ["limit", "max_id", "search", "username", "unknown"])
def test_repeated_parameter_is_refused(http: HttpClient, parameter: str) -> None:
    """A parameter that comes twice answers 400, also when both values are the same."""
    answer = http.get(f"{PATH}?{parameter}=1&{parameter}=1")

    assert (answer.status, answer.faulty_fields) == (400, [parameter])


def test_every_bad_parameter_is_named(http: HttpClient) -> None:
    """One answer tells of all that is wrong."""
    answer = http.get(PATH, query={"limit": 0, "max_id": "x", "search": "\x00"})

    assert sorted(answer.faulty_fields) == ["limit", "max_id", "search"]


def test_unknown_parameter_is_ignored(http: HttpClient, sql: Sql) -> None:
    """A parameter that nobody knows changes nothing."""
    sql.add_thoughts("one")

    assert texts(http.get(PATH, query={"utm_source": "x"})) == ["one"]


def test_username_gives_one_authors_thoughts(http: HttpClient, sql: Sql) -> None:
    """`username` filters by author."""
    sql.add_thoughts("his", username="bruce")
    sql.add_thoughts("theirs", username="stephen", user_id=2)

    assert texts(http.get(PATH, query={"username": "stephen"})) == ["theirs"]


@pytest.mark.parametrize("asked", ["BRUCE", "Bruce", "bRuCe"])
def test_username_is_found_in_any_case(http: HttpClient, sql: Sql, asked: str) -> None:
    """Usernames are unique without regard to case, so they are found without it."""
    sql.add_thoughts("his", username="Bruce")

    assert texts(http.get(PATH, query={"username": asked})) == ["his"]


@pytest.mark.parametrize("asked", ["bruc", "%", "b_uce", "bruce ", "stephen", "'", "x" * 50])
def test_other_username_has_no_thoughts(http: HttpClient, sql: Sql, asked: str) -> None:
    """A name that nobody has gives an empty list; no character of it is special."""
    sql.add_thoughts("his", username="bruce")

    assert http.get(PATH, query={"username": asked}).json() == []


def test_username_that_is_too_long_is_refused(http: HttpClient) -> None:
    """A name that no user can have for its length answers 400."""
    assert http.get(PATH, query={"username": "x" * 51}).faulty_fields == ["username"]


def test_own_list_has_own_thoughts_only(http: HttpClient, sql: Sql, stephen: str) -> None:
    """/api/me/thoughts/ lists the caller's thoughts."""
    sql.add_thoughts("his", username="bruce", user_id=1)
    sql.add_thoughts("mine", username="stephen", user_id=2)

    answer = http.get("/api/me/thoughts/", token=stephen)

    assert texts(answer) == ["mine"]


def test_own_list_can_be_searched(http: HttpClient, sql: Sql, bruce: str) -> None:
    """The own list takes the same search as everybody's."""
    sql.add_thoughts("apple", "pear")

    answer = http.get("/api/me/thoughts/", token=bruce, query={"search": "APP"})

    assert texts(answer) == ["apple"]


def test_own_list_does_not_filter_by_author(http: HttpClient, sql: Sql, bruce: str) -> None:
    """The own list has no parameter `username`."""
    sql.add_thoughts("mine")

    answer = http.get("/api/me/thoughts/", token=bruce, query={"username": "stephen"})

    assert texts(answer) == ["mine"]


def test_links_are_path_absolute(http: HttpClient, sql: Sql) -> None:
    """Links hold no host, whatever Host and X-Forwarded-Host say."""
    sql.add_thoughts("one", "two")
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}

    answer = http.get(PATH, query={"limit": 1}, headers=headers)

    assert links(answer) == {
        "next": "/api/thoughts?limit=1&max_id=2",
        "prev": "/api/thoughts?limit=1&min_id=2",
    }


def test_links_keep_the_filters(http: HttpClient, sql: Sql) -> None:
    """The next page has the same search, author and limit, however they must be escaped."""
    search = 'é & "50%" + ü/=?#'
    sql.add_thoughts(*[search] * 2, username="a&b c")

    next_page = links(
        http.get(PATH, query={"search": search, "username": "a&b c", "limit": "1"})
    )["next"]

    assert parse_qs(urlsplit(next_page).query) == {
        "search": [search],
        "username": ["a&b c"],
        "limit": ["1"],
        "max_id": ["2"],
    }


def test_last_page_has_no_next(http: HttpClient, sql: Sql) -> None:
    """A page that ends with the oldest thought leads nowhere older."""
    sql.add_thoughts("one", "two")

    assert set(links(http.get(PATH, query={"limit": 2}))) == {"prev"}


def test_own_list_links_to_itself(http: HttpClient, sql: Sql, bruce: str) -> None:
    """The links of the own list lead to the own list."""
    sql.add_thoughts("one", "two")

    answer = http.get("/api/me/thoughts/", token=bruce, query={"limit": 1})

    assert links(answer)["next"] == "/api/me/thoughts?limit=1&max_id=2"


def test_next_page_stays_within_since_id(http: HttpClient, sql: Sql) -> None:
    """Going on from a page that has a lower bound keeps to it."""
    added = sql.add_thoughts(*[str(number) for number in range(7)])

    pages = list(walk(http, f"{PATH}?since_id={added[1]}&limit=2", "next"))

    assert sum(pages, []) == added[:1:-1]


def test_previous_pages_lead_back_to_the_newest(http: HttpClient, sql: Sql) -> None:
    """Following `prev` from the oldest page visits every newer thought once."""
    added = sql.add_thoughts(*[str(number) for number in range(10)])
    oldest = f"{PATH}?limit=3&max_id={added[1]}"

    pages = list(walk(http, oldest, "prev"))

    assert pages == [added[:1], added[3:0:-1], added[6:3:-1], added[9:6:-1], []]


def test_page_in_the_middle_leads_both_ways(http: HttpClient, sql: Sql) -> None:
    """A page between others has both links, also when it was reached backwards."""
    added = sql.add_thoughts(*[str(number) for number in range(9)])

    answer = http.get(PATH, query={"limit": 3, "min_id": added[2]})

    assert set(links(answer)) == {"next", "prev"}


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    matching=st.lists(st.booleans(), max_size=30),
    limit=st.integers(1, 7),
    arriving=st.integers(0, 3),
)
def test_walking_gives_each_matching_thought_once(
    http: HttpClient, sql: Sql, matching: list[bool], limit: int, arriving: int
) -> None:
    """Going on to older pages gives every match once, newest first, while new ones arrive."""
    sql.run("TRUNCATE thoughts")
    added = sql.add_thoughts(*["wanted" if match else "other" for match in matching])
    wanted = [number for number, match in zip(added, matching, strict=True) if match]

    seen: list[int] = []
    for page in walk(http, f"{PATH}?search=want&limit={limit}", "next"):
        seen += page
        sql.add_thoughts(*["wanted too"] * arriving)

    assert seen == wanted[::-1]
