"""Searches that go on beyond their first walk."""

import re
from urllib.parse import urlencode

import pytest

from testkit.http_client import HttpClient
from testkit.thoughts_sql import Sql
from thoughts_backend.search_plan import PACE

PATH = "/api/me/thoughts/"


def all_found(http: HttpClient, token: str, search: str) -> list[str]:
    """The texts on all pages of a search of one's own thoughts."""
    texts: list[str] = []
    target = f"{PATH}?{urlencode({'search': search})}"
    while True:
        answer = http.get(target, token=token)
        texts += [thought["text"] for thought in answer.json()]
        older = re.search('<([^<]+)>; rel="next"', answer.headers.get("Link", ""))
        if older is None:
            return texts
        target = older[1]


@pytest.mark.parametrize("search", ["ㅋㅠ", "ㅎㅏ"])
def test_old_thought_with_separate_korean_letters_is_found(
    http: HttpClient, bruce: str, sql: Sql, search: str
) -> None:
    """Letters that would fold to a syllable if they were folded twice are found in old thoughts."""
    old = "ㅋㅠ ㅎㅏ 아쉽다"
    # The first walk does not reach it, the second does.
    sql.add_thoughts(old, *["newer"] * PACE.long_walk)

    assert all_found(http, bruce, search) == [old]
