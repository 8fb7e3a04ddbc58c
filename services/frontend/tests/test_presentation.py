"""How times, texts and authors look."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import translation

from frontend.backends import Thought
from frontend.django_settings import configure_django
from frontend.presentation import cards, rich_text, time_ago

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Texts are English unless a test says otherwise."""
    configure_django(behind_tls=False, allowed_hosts=())
    with translation.override("en"):
        yield


@pytest.mark.parametrize(
    ("ago", "told"),
    [
        (timedelta(seconds=-90), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(minutes=59, seconds=59), "59 minutes ago"),
        (timedelta(hours=1), "1 hour ago"),
        (timedelta(hours=23, minutes=59), "23 hours ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=6, hours=23), "6 days ago"),
        (timedelta(days=7), "13 May 2026"),
    ],
)
def test_time_is_told_by_its_distance(ago: timedelta, told: str) -> None:
    """Up to a week a time is told by its distance, then by its day."""
    assert time_ago(NOW - ago, NOW) == told


@pytest.mark.parametrize(
    ("ago", "told"),
    [(timedelta(minutes=3), "3 分钟前"), (timedelta(days=9), "2026年5月11日")],
)
def test_time_is_told_in_chinese(ago: timedelta, told: str) -> None:
    """In Chinese a time is told as it is in Chinese."""
    with translation.override("zh-hans"):
        assert time_ago(NOW - ago, NOW) == told


def test_exact_time_is_in_utc() -> None:
    """The exact time is in UTC, to the second."""
    moment = datetime.fromisoformat("1962-05-11T11:53:41.123456+02:00")

    (card,) = cards([Thought(1, "bruce", "Rain", moment)], NOW)

    assert card.exact_time == "1962-05-11 09:53:41 UTC"
    assert card.timestamp == "1962-05-11 09:53:41Z"


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("https://example.org", "https://example.org"),
        ("(see https://example.org/a).", "https://example.org/a"),
        ("https://example.org/a_(b)", "https://example.org/a_(b)"),
        ("https://example.org/?a=1&b=2!", "https://example.org/?a=1&amp;b=2"),
        ("看https://example.org/p。好", "https://example.org/p"),
        ("HTTP://EXAMPLE.ORG", "HTTP://EXAMPLE.ORG"),
        ('"https://example.org/"', "https://example.org/"),
    ],
)
def test_links_end_where_the_sentence_goes_on(text: str, link: str) -> None:
    """A link takes in what belongs to it and leaves the punctuation around it alone."""
    assert f'<a href="{link}" rel="nofollow noopener noreferrer">{link}</a>' in rich_text(text)


@pytest.mark.parametrize(
    "text",
    ["javascript://alert(1)", "https://", "http://...", "ftp://example.org", "a <b> & 'c' \"d\""],
)
def test_what_is_no_link_is_text(text: str) -> None:
    """Nothing but a web address becomes a link."""
    assert "<a" not in rich_text(text)


def test_markup_around_and_in_links_is_escaped() -> None:
    """Text before, within and after a link is escaped."""
    html = rich_text('<i>https://example.org/"onclick="x</i>')

    assert html == (
        '&lt;i&gt;<a href="https://example.org/" rel="nofollow noopener noreferrer">'
        "https://example.org/</a>&#34;onclick=&#34;x&lt;/i&gt;"
    )
