"""How times, texts and authors are displayed."""

from datetime import UTC, datetime, timedelta

import pytest

from frontend.app import configure_django
from frontend.backends.thoughts_backend import Thought
from frontend.pages.cards import cards
from frontend.pages.words import time_ago

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def django() -> None:
    """Translations need Django's settings."""
    configure_django(behind_tls=False, allowed_hosts=())


@pytest.mark.parametrize(
    ("ago", "told"),
    [
        (timedelta(minutes=-5), "just now"),
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
    """Up to a week a time is shown by its distance, then by its date."""
    assert time_ago(NOW - ago, NOW, "en") == told


@pytest.mark.parametrize(
    ("ahead", "told"),
    [
        (timedelta(minutes=5, seconds=1), "20 May 2026"),
        (timedelta(hours=13), "21 May 2026"),
        (timedelta(days=400), "24 Jun 2027"),
    ],
)
def test_time_in_the_future_is_told_by_its_day(ahead: timedelta, told: str) -> None:
    """A time further ahead than clocks may differ is shown by its date."""
    assert time_ago(NOW + ahead, NOW, "en") == told


@pytest.mark.parametrize(
    ("ago", "told"),
    [(timedelta(minutes=3), "3 分钟前"), (timedelta(days=9), "2026年5月11日")],
)
def test_time_is_told_in_chinese(ago: timedelta, told: str) -> None:
    """In Chinese a time is shown in the Chinese way."""
    assert time_ago(NOW - ago, NOW, "zh-hans") == told


def test_moment_is_in_utc() -> None:
    """A time is shown in UTC, to the second."""
    moment = datetime.fromisoformat("1962-05-11T11:53:41.123456+02:00")

    (card,) = cards([Thought(1, "bruce", "Rain", moment)], "en")

    second = "1962-05-11 09:53:41"
    assert card.moment == f'<time datetime="{second}Z" title="{second} UTC">11 May 1962</time>'
