"""Reading: own thoughts, everybody's thoughts, and their contents."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest

from testkit.browser import Browser, Page
from testkit.fake_backend import FakeThoughtsBackend, Reply
from testkit.token_maker import TokenMaker


def test_own_page_shows_own_thoughts_newest_first(
    bruce: Browser, thoughts: FakeThoughtsBackend
) -> None:
    """The user's own page contains only their own thoughts, newest first."""
    thoughts.add("bruce", "First of mine")
    thoughts.add("stephen", "Not mine")
    thoughts.add("bruce", "Second of mine")

    page = bruce.get("/")

    assert page.words.index("Second of mine") < page.words.index("First of mine")
    assert "Not mine" not in page.words


@pytest.mark.parametrize(
    "path",
    ["/", "/search", "/search?search=zzz", "/logout/", "/nowhere", "/thoughts/1/delete"],
)
@pytest.mark.parametrize("username", ["bruce", "林小雨", "עומר כהן", "<b>&'\"", "W" * 50])
def test_every_page_says_who_is_logged_in(
    browser: Browser,
    token_maker: TokenMaker,
    thoughts: FakeThoughtsBackend,
    path: str,
    username: str,
) -> None:
    """The bar of every page shows the user's name, linked to the user's own thoughts."""
    thoughts.add(username, "Rain")
    browser.cookies["mythoughts_session"] = token_maker.token(username)

    assert _name_in_the_bar(browser.get(path)) == username


@pytest.mark.parametrize("status", [403, 405, 503])
def test_error_pages_say_who_is_logged_in(
    bruce: Browser, thoughts: FakeThoughtsBackend, status: int
) -> None:
    """Error pages show the user's name too."""
    thoughts.stop()

    page = {
        403: lambda: bruce.post("/logout/", {}),
        405: lambda: bruce.post("/search", {}),
        503: lambda: bruce.get("/search"),
    }[status]()

    assert page.status == status
    assert _name_in_the_bar(page) == "bruce"


@pytest.mark.parametrize("path", ["/search", "/login/", "/logout/", "/nowhere"])
def test_bar_has_no_name_for_nobody(browser: Browser, path: str) -> None:
    """Visitors who are not logged in see a link to the login page instead of a name."""
    page = browser.get(path)

    assert _name_in_the_bar(page) is None
    assert page.links["Log in"] == "/login/"


def test_own_page_without_thoughts_invites_to_share(bruce: Browser) -> None:
    """Users without thoughts are told so."""
    page = bruce.get("/thoughts/")

    assert "No thoughts yet" in page.words


def test_author_leads_to_the_authors_thoughts(
    browser: Browser, thoughts: FakeThoughtsBackend
) -> None:
    """The name of a thought's author leads to all their thoughts."""
    thoughts.add("Émile Zola", "J'accuse")
    thoughts.add("bruce", "Rain")

    page = browser.get(browser.get("/search").links["Émile Zola"])

    assert "Thoughts by Émile Zola" in page.words
    assert "Rain" not in page.words


def test_pages_lead_to_older_thoughts_and_back(
    bruce: Browser, thoughts: FakeThoughtsBackend
) -> None:
    """With 45 own thoughts, the third page has the last five, and leads back to the first."""
    for number in range(1, 46):
        thoughts.add("bruce", f"Thought-{number}.")

    first = bruce.get("/")
    second = bruce.get(first.link("Older"))
    third = bruce.get(second.link("Older"))
    back = bruce.get(second.link("Newer"))

    assert [f"Thought-{n}." in third.words for n in (6, 5, 1)] == [False, True, True]
    assert "Thought-45." in back.words
    assert not [text for text in third.links if "Older" in text]
    assert not [text for text in first.links if "Newer" in text]


def test_unknown_parameters_of_the_backends_links_are_left_out(
    browser: Browser, thoughts: FakeThoughtsBackend
) -> None:
    """The page uses only the cursor of the backend's Link header."""
    link = '<//evil.example/x?max_id=7&token=x"y>; rel="next", <?min_id=abc>; rel="prev"'
    thought = {"id": 9, "username": "a", "text": "b", "timestamp": "2026-01-01T00:00:00Z"}
    thoughts.fault = lambda handler, _: handler.reply(Reply(200, [thought], {"Link": link}))

    page = browser.get("/search?search=b&max_id=10")

    assert page.link("Older") == "/search?search=b&max_id=7"
    assert not [text for text in page.links if "Newer" in text]


@pytest.mark.parametrize("cursor", ["max_id=abc", "max_id=-1", "max_id=%D9%A1", "max_id=1e3"])
def test_invalid_cursor_is_left_out(
    browser: Browser, thoughts: FakeThoughtsBackend, cursor: str
) -> None:
    """A cursor in the address that is not a number is ignored."""
    page = browser.get(f"/search?{cursor}")

    assert page.status == 200
    assert "max_id" not in thoughts.calls[-1].query


def test_page_past_the_end_leads_back(bruce: Browser) -> None:
    """An empty page says so and leads back to the newest thoughts."""
    page = bruce.get("/thoughts/?max_id=1")

    assert "No more thoughts" in page.words
    assert page.links["Back to the newest"] == "/thoughts/"


def test_markup_in_a_thought_is_shown_not_run(
    browser: Browser, thoughts: FakeThoughtsBackend
) -> None:
    """HTML in a text or a name is shown as text."""
    thoughts.add("<b>bold</b>", "<script>alert('x')</script> & \"quotes\"")

    page = browser.get('/search?search=&username=&x="><script>')

    assert "<script>alert" not in page.text
    assert "<b>bold" not in page.text
    assert "<script>alert('x')</script> & \"quotes\"" in page.words


@pytest.mark.parametrize("path", ["/search?search=", "/search?username=", "/login/?next="])
def test_markup_in_the_address_is_shown_not_run(browser: Browser, path: str) -> None:
    """HTML in an address is shown as text."""
    page = browser.get(f"{path}%22%3E%3Cscript%3Ealert(1)%3C/script%3E")

    assert "<script>alert" not in page.text


def test_links_in_a_thought_are_links(browser: Browser, thoughts: FakeThoughtsBackend) -> None:
    """An address in a text is a link, and reveals nothing to the other site."""
    thoughts.add("bruce", "See https://example.org/a?b=1&c=2.")

    page = browser.get("/search")

    assert page.links["https://example.org/a?b=1&c=2"] == "https://example.org/a?b=1&c=2"
    assert 'rel="nofollow noopener noreferrer"' in page.text


def test_line_breaks_and_direction_are_kept(
    browser: Browser, thoughts: FakeThoughtsBackend
) -> None:
    """Texts are in an element that keeps line breaks and detects its own direction."""
    thoughts.add("bruce", "One\nTwo")

    page = browser.get("/search")

    assert '<p class="text" dir="auto">One\nTwo</p>' in page.text


def test_times_are_shown_in_words(browser: Browser, thoughts: FakeThoughtsBackend) -> None:
    """A time is shown as "3 minutes ago", with the exact time as its title."""
    moment = datetime.now(UTC) - timedelta(minutes=3, seconds=20)
    thoughts.add("bruce", "Rain", moment.isoformat())

    page = browser.get("/search")

    assert "3 minutes ago" in page.words
    assert f'title="{moment:%Y-%m-%d %H:%M:%S} UTC"' in page.text


def test_deleting_asks_first(bruce: Browser, thoughts: FakeThoughtsBackend) -> None:
    """The delete link of an own thought shows the thought, asks first, and deletes nothing."""
    thoughts.add("bruce", "Rain")

    page = bruce.get(bruce.get("/").links["Delete"])

    assert "Delete this thought?" in page.words
    assert "Rain" in page.words
    assert len(thoughts.thoughts) == 1


def test_deleting_deletes(bruce: Browser, thoughts: FakeThoughtsBackend) -> None:
    """Confirming deletes the thought and shows a notice."""
    thought_id = thoughts.add("bruce", "Rain")
    form = bruce.get(f"/thoughts/{thought_id}/delete").form(f"/thoughts/{thought_id}/delete")

    page = bruce.send(form)

    assert "The thought has been deleted." in page.words
    assert thoughts.thoughts == []


def test_deleting_twice_is_no_error(bruce: Browser, thoughts: FakeThoughtsBackend) -> None:
    """Deleting a thought that is already gone succeeds."""
    thought_id = thoughts.add("bruce", "Rain")
    form = bruce.get(f"/thoughts/{thought_id}/delete").form(f"/thoughts/{thought_id}/delete")
    thoughts.fault = lambda handler, call: handler.reply(
        Reply(404, {}) if call.method == "DELETE" else thoughts.answer(call)
    )

    page = bruce.send(form)

    assert "The thought has been deleted." in page.words


@pytest.mark.parametrize("author", ["stephen", None])
def test_deleting_a_thought_of_nobody_or_another_is_404(
    bruce: Browser, thoughts: FakeThoughtsBackend, author: str | None
) -> None:
    """The confirmation page exists only for own thoughts."""
    thought_id = thoughts.add(author, "Rain") if author else 99

    page = bruce.get(f"/thoughts/{thought_id}/delete")

    assert page.status == 404


def test_deleting_after_the_session_leads_to_login(
    bruce: Browser, thoughts: FakeThoughtsBackend
) -> None:
    """Confirming after the session has ended leads to login and a new confirmation."""
    thought_id = thoughts.add("bruce", "Rain")
    form = bruce.get(f"/thoughts/{thought_id}/delete").form(f"/thoughts/{thought_id}/delete")
    del bruce.cookies["mythoughts_session"]

    login = bruce.send(form)
    page = bruce.send(login.form("/login/"), username="bruce", password="bruce")

    assert "Delete this thought?" in page.words
    assert len(thoughts.thoughts) == 1


def _name_in_the_bar(page: Page) -> str | None:
    bar = page.text.split("<nav", 1)[1].split("</nav>")[0]
    name = re.search(r'<a [^>]*href="/thoughts/"[^>]*><bdi>([^<]*)</bdi>', bar)
    return name and unescape(name[1])
