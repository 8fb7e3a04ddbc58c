"""Searching: everybody's thoughts that contain some words, and searches that end early."""

from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

import pytest

from testkit.browser import Browser
from testkit.fake_backend import FakeThoughtsBackend, Reply


@pytest.mark.parametrize("path", ["/search", "/search/"])
def test_search_without_words_shows_everybodys_thoughts(
    browser: Browser, thoughts: FakeThoughtsBackend, path: str
) -> None:
    """An empty search shows what everybody shares."""
    thoughts.add("bruce", "Rain")
    thoughts.add("林小雨", "下雨")

    page = browser.get(path)

    assert "Rain" in page.words
    assert "下雨" in page.words


@pytest.mark.parametrize("words", ["50%", "_", "\\", "&", "下雨", "😀" * 250, "a+b c"])
def test_search_words_reach_the_backend_as_typed(
    browser: Browser, thoughts: FakeThoughtsBackend, words: str
) -> None:
    """Every character of a search is passed on and shown in the search box again."""
    form = browser.get("/search").form("/search")

    page = browser.get(f"/search?search={_quoted(words)}")

    assert form.method == "get"
    assert thoughts.calls[-1].query["search"] == words
    assert page.form("/search").fields["search"] == words


@pytest.mark.parametrize("around", [" ", "\t", "\n", "\u3000", "\u00a0", "\u2009", "\u2029 \u1680"])
def test_white_space_around_a_search_does_not_count(
    browser: Browser, thoughts: FakeThoughtsBackend, around: str
) -> None:
    """The space added by a phone's keyboard is not searched for; one between words is."""
    for number in range(25):
        thoughts.add("bruce", f"Be water, my friend {number}.")

    page = browser.get(f"/search?search={_quoted(around + 'water, my' + around)}")

    assert thoughts.calls[-1].query["search"] == "water, my"
    assert page.form("/search").fields["search"] == "water, my"
    assert "search=water%2C+my&" in page.link("Older")


@pytest.mark.parametrize("around", [" ", "\u3000"])
def test_search_for_white_space_is_no_search(
    browser: Browser, thoughts: FakeThoughtsBackend, around: str
) -> None:
    """White space alone shows everybody's thoughts, like an empty search."""
    thoughts.add("bruce", "Rain")

    page = browser.get(f"/search?search={_quoted(around)}&username={_quoted(around)}")

    assert "Everybody’s thoughts" in page.words
    assert {"search", "username"}.isdisjoint(thoughts.calls[-1].query)


def test_search_without_results_says_so(browser: Browser) -> None:
    """A search that finds nothing says that there are no results."""
    page = browser.get("/search?search=unheard-of")

    assert page.status == 200
    assert "No results for your search" in page.words


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "No thoughts yet Zoë & Co has not shared any thoughts."),
        ("zh-CN", "还没有想法 Zoë & Co 还没有发表过想法。"),
    ],
)
def test_author_without_thoughts_is_no_failed_search(
    browser: Browser, language: str, words: str
) -> None:
    """The page of an author who has shared nothing says so, instead of asking for other words."""
    page = browser.get(f"/search?username={_quoted('Zoë & Co')}", Accept_Language=language)

    assert page.status == 200
    assert words in page.words
    assert "No results" not in page.words


def test_search_that_the_backend_rejects_is_explained(
    browser: Browser, thoughts: FakeThoughtsBackend
) -> None:
    """An invalid search stays in the box, with the reason above."""
    thoughts.fault = lambda handler, _: handler.reply(Reply(400, {"detail": "no NUL"}))

    page = browser.get("/search?search=a%00b")

    assert page.status == 400
    assert "This search is not valid." in page.words
    assert page.form("/search").fields["search"] == "a\ufffdb"


def test_search_beyond_the_limit_says_how_long_to_wait(
    browser: Browser, thoughts: FakeThoughtsBackend
) -> None:
    """A search beyond a limit stays in the box; the page says how long to wait."""
    thoughts.fault = lambda handler, _: handler.reply(Reply(429, {}, {"Retry-After": "40"}))

    page = browser.get("/search?search=rain")

    assert (page.status, page.headers["Retry-After"]) == (429, "40")
    assert "Please try again in 40 seconds." in page.words
    assert page.form("/search").fields["search"] == "rain"


def test_pages_of_a_search_keep_the_search(browser: Browser, thoughts: FakeThoughtsBackend) -> None:
    """The older results of a search are results of the same search."""
    for number in range(30):
        thoughts.add("bruce", f"Rain & wind {number}")
        thoughts.add("bruce", f"Sun {number}")

    page = browser.get(browser.get("/search?search=rain+%26").link("Older"))

    assert page.words.count("Rain & wind") == 10
    assert "Sun" not in page.words


OLDER = ("/search?search=rain", {"next": "max_id=17"}, "/search?search=rain&max_id=17")
NEWER = (
    "/search?search=rain&min_id=40",
    {"next": "max_id=41", "prev": "min_id=900"},
    "/search?search=rain&min_id=900",
)


@pytest.mark.parametrize(
    ("way", "language", "words", "link"),
    [
        (OLDER, "en", "so far Older thoughts have not been searched yet.", "Older"),
        (OLDER, "zh-CN", "暂未找到匹配的想法 还没有搜索较早的想法。", "较早"),
        (NEWER, "en", "so far Newer thoughts have not been searched yet.", "Newer"),
        (NEWER, "zh-CN", "暂未找到匹配的想法 还没有搜索较新的想法。", "较新"),
    ],
)
def test_search_that_found_nothing_yet_leads_on(
    browser: Browser,
    thoughts: FakeThoughtsBackend,
    way: tuple[str, Mapping[str, str], str],
    language: str,
    words: str,
    link: str,
) -> None:
    """A search that ended early without results does not claim that there are none."""
    path, cursors, target = way
    _answer(thoughts, [], **cursors)

    page = browser.get(path, Accept_Language=language)

    assert page.status == 200
    assert words in page.words
    assert "No results" not in page.words
    assert page.link(link) == target


def test_search_that_ended_early_shows_what_it_found(
    browser: Browser, thoughts: FakeThoughtsBackend
) -> None:
    """The few results of a search that ended early are a page like any other."""
    _answer(thoughts, [50], next="max_id=17", prev="min_id=50")

    page = browser.get("/search?search=rain")

    assert "Thought 50." in page.words
    assert "Nothing found so far" not in page.words
    assert page.link("Older") == "/search?search=rain&max_id=17"


@pytest.mark.parametrize(
    ("found", "newer_than"), [([50], 900), (range(70, 50, -1), 900), (range(70, 49, -1), 69)]
)
def test_way_to_newer_thoughts_leads_on_after_what_was_searched(
    browser: Browser, thoughts: FakeThoughtsBackend, found: Iterable[int], newer_than: int
) -> None:
    """After a search that ended early on the way back, the links continue from the page."""
    _answer(thoughts, found, next="max_id=50", prev="min_id=900")

    page = browser.get("/search?search=rain&min_id=40")

    assert page.link("Newer") == f"/search?search=rain&min_id={newer_than}"


def test_way_to_newer_thoughts_ends_at_the_newest(
    browser: Browser, thoughts: FakeThoughtsBackend
) -> None:
    """A page with no newer thoughts has no link to newer ones."""
    _answer(thoughts, [52, 51], next="max_id=51", prev="min_id=52")

    page = browser.get("/search?search=rain&min_id=40")

    assert not [text for text in page.links if "Newer" in text]


def test_search_past_the_end_leads_back(browser: Browser) -> None:
    """At the end of a search, a link leads to its newest results."""
    page = browser.get("/search?search=rain+%26&username=bruce&max_id=1")

    assert "No more thoughts" in page.words
    assert page.links["Back to the newest"] == "/search?search=rain+%26&username=bruce"


def test_search_on_an_authors_page_stays_with_the_author(
    browser: Browser, thoughts: FakeThoughtsBackend
) -> None:
    """The search box of an author's page searches this author's thoughts, and says so."""
    thoughts.add("bruce", "Rain")
    form = browser.get("/search?username=bruce").form("/search")

    page = browser.get(f"/search?{urlencode(form.fields | {'search': 'rain'})}")

    assert "Search bruce’s thoughts" in page.words
    assert "“rain” in thoughts by bruce" in page.words
    assert "username" not in browser.get("/search?search=rain").form("/search").fields


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/search?max_id=9999999999999999999", "This page does not exist."),
        ("/search?search=rain", "This search is not valid. Please try other words."),
    ],
)
def test_search_that_the_backend_refuses_is_a_problem(
    browser: Browser, thoughts: FakeThoughtsBackend, address: str, words: str
) -> None:
    """A page that cannot exist is not blamed on words that nobody typed; the title says it, too."""
    thoughts.fault = lambda handler, _: handler.reply(Reply(400, {"detail": "no"}))

    page = browser.get(address)

    assert page.status == 400
    assert words in page.words
    assert "<title>Problem: " in page.text


def _answer(thoughts: FakeThoughtsBackend, found: Iterable[int], **cursors: str) -> None:
    """Make the backend return thoughts with these ids, and these cursors in its Link header."""
    page = [
        {"id": i, "username": "bruce", "text": f"Thought {i}.", "timestamp": "1962-05-11T09:53:41Z"}
        for i in found
    ]
    link = ", ".join(
        f'</api/thoughts?search=rain&{cursor}>; rel="{relation}"'
        for relation, cursor in cursors.items()
    )
    thoughts.fault = lambda handler, _: handler.reply(Reply(200, page, {"Link": link}))


def _quoted(words: str) -> str:
    return "".join(f"%{byte:02X}" for byte in words.encode())
