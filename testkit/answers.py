"""What tests read from responses."""

import re
from collections.abc import Iterator
from typing import Any

from testkit.http_client import Answer, HttpClient


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


def walk(
    http: HttpClient, target: str | None, relation: str, **options: Any
) -> Iterator[list[int]]:
    """The ids of each page, following the links of one relation to the end."""
    while target:
        answer = http.get(target, **options)
        yield ids(answer)
        target = links(answer).get(relation)


def is_bad_text(answer: Answer) -> bool:
    """Whether a response rejects the field `text`."""
    return answer.status == 400 and answer.faulty_fields == ["text"]
