"""The Link header: paging shows each thought once."""

from urllib.parse import parse_qs, urlsplit

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from testkit.answers import links, walk
from testkit.http_client import HttpClient
from testkit.thoughts_sql import Sql

PATH = "/api/thoughts/"


def test_links_are_path_absolute(http: HttpClient, sql: Sql) -> None:
    """Links contain no host, whatever Host and X-Forwarded-Host say."""
    sql.add_thoughts("one", "two")
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}

    answer = http.get(PATH, query={"limit": 1}, headers=headers)

    assert links(answer) == {
        "next": "/api/thoughts?limit=1&max_id=2",
        "prev": "/api/thoughts?limit=1&min_id=2",
    }


def test_links_keep_the_filters(http: HttpClient, sql: Sql) -> None:
    """The next page has the same search, author and limit, escaped as necessary."""
    search = 'é & "50%" + ü/=?#'
    sql.add_thoughts(*[search] * 2, username="a&b c")

    next_page = links(http.get(PATH, query={"search": search, "username": "a&b c", "limit": "1"}))[
        "next"
    ]

    assert parse_qs(urlsplit(next_page).query) == {
        "search": [search],
        "username": ["a&b c"],
        "limit": ["1"],
        "max_id": ["2"],
    }


def test_last_page_has_no_next(http: HttpClient, sql: Sql) -> None:
    """A page that ends with the oldest thought has no link to older ones."""
    sql.add_thoughts("one", "two")

    assert set(links(http.get(PATH, query={"limit": 2}))) == {"prev"}


def test_own_list_links_to_itself(http: HttpClient, sql: Sql, bruce: str) -> None:
    """The links of the own list stay in the own list."""
    sql.add_thoughts("one", "two")

    answer = http.get("/api/me/thoughts/", token=bruce, query={"limit": 1})

    assert links(answer)["next"] == "/api/me/thoughts?limit=1&max_id=2"


def test_next_page_stays_within_since_id(http: HttpClient, sql: Sql) -> None:
    """Paging on from a page with a lower bound keeps the bound."""
    added = sql.add_thoughts(*[str(number) for number in range(7)])

    pages = list(walk(http, f"{PATH}?since_id={added[1]}&limit=2", "next"))

    assert pages == [added[6:4:-1], added[4:2:-1], added[2:1:-1]]


def test_previous_pages_lead_back_to_the_newest(http: HttpClient, sql: Sql) -> None:
    """Following `prev` from the oldest page visits every newer thought once."""
    added = sql.add_thoughts(*[str(number) for number in range(10)])
    oldest = f"{PATH}?limit=3&max_id={added[1]}"

    pages = list(walk(http, oldest, "prev"))

    assert pages == [added[:1], added[3:0:-1], added[6:3:-1], added[9:6:-1], []]


def test_page_in_the_middle_leads_both_ways(http: HttpClient, sql: Sql) -> None:
    """A page between others has both links, even if it was reached backwards."""
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
    """Paging to older pages shows every match once, newest first, while new ones arrive."""
    sql.run("TRUNCATE thoughts")
    added = sql.add_thoughts(*["wanted" if match else "other" for match in matching])
    wanted = [number for number, match in zip(added, matching, strict=True) if match]

    seen: list[int] = []
    for page in walk(http, f"{PATH}?search=want&limit={limit}", "next"):
        seen += page
        sql.add_thoughts(*["wanted too"] * arriving)

    assert seen == wanted[::-1]
