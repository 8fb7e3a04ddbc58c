"""Thoughts as API clients share and list them."""

import re
from collections.abc import Iterator
from typing import Any

from testkit.http_client import HttpClient

NEXT = re.compile(r'<([^<>]*)>; rel="next"')


def share(client: HttpClient, text: str) -> int:
    """Share a thought; return its id."""
    answer = client.post("/api/me/thoughts/", json={"text": text})
    assert answer.status == 201, answer.text
    return int(answer.json()["id"])


def pages_of(client: HttpClient, path: str) -> Iterator[list[dict[str, Any]]]:
    """Read a list page by page, following its Link headers."""
    following: str | None = path
    while following:
        answer = client.get(following)
        assert answer.status == 200, answer.text
        yield answer.json()
        link = NEXT.search(answer.headers.get("Link", ""))
        following = link.group(1) if link else None


def all_thoughts(client: HttpClient, path: str) -> list[dict[str, Any]]:
    """All thoughts of a list, newest first."""
    return [thought for page in pages_of(client, path) for thought in page]


def own_texts(client: HttpClient) -> list[str]:
    """The texts of all thoughts of the client's user, newest first."""
    return [thought["text"] for thought in all_thoughts(client, "/api/me/thoughts/?limit=100")]
