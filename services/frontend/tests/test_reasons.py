"""Why names and passwords are refused, in words."""

import pytest
from django.utils import translation

from frontend.app import configure_django
from frontend.pages.words import reason_in_words


@pytest.fixture(autouse=True)
def _django() -> None:
    configure_django(behind_tls=False, allowed_hosts=())


@pytest.mark.parametrize(
    ("detail", "english", "chinese"),
    [
        ("must have at least 8 characters", "At least 8 characters.", "至少 8 个字符。"),
        ("must have at most 128 characters", "At most 128 characters.", "最多 128 个字符。"),
        (
            "must not contain U+200B ZERO WIDTH SPACE (character 4): it is invisible",
            (
                "Character 4 (U+200B) cannot be used. Names consist of letters, digits and simple "
                "punctuation."
            ),
            "第 4 个字符（U+200B）不能使用。用户名可以包含文字、数字和常用标点。",
        ),
        (
            "is too easy to guess",
            "This is too easy to guess. Try a few words.",
            "这个密码太容易被猜到，请试试用几个词组成。",
        ),
        (
            "is too easy to guess: it is little more than a common password",
            "This is little more than a common password, which is easy to guess.",
            "密码与常见密码太接近，容易被猜到。",
        ),
        (
            "is too easy to guess: it is little more than your name or the name of this site",
            "This is little more than your name or the name of this site, which is easy to guess.",
            "密码与您的用户名或本站名称太接近，容易被猜到。",
        ),
        ("must rhyme", "This was not accepted: must rhyme", "不符合要求：must rhyme"),
    ],
)
def test_reason_is_in_the_language_of_the_page(detail: str, english: str, chinese: str) -> None:
    """A known reason is translated, with its numbers; another one is shown as it is."""
    with translation.override("en"):
        assert reason_in_words(detail) == english
    with translation.override("zh-hans"):
        assert reason_in_words(detail) == chinese
