"""The shapes of requests and responses."""

import re
from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from mythoughts_chassis.inputs import WITHOUT_NUL, Id
from mythoughts_chassis.pagination import PageQuery

MAX_TEXT_CHARACTERS = 250
MAX_USERNAME_CHARACTERS = 50

# Excludes invisible characters: white space, control characters, Unicode's default ignorables,
# annotation marks, and blanks that count as letters or symbols.
_VISIBLE = re.compile(
    r"[^\s\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    r"\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    r"\U00013430-\U00013442\U00016fe4\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e0fff]"
)


def shows_something(text: str) -> bool:
    """Return whether a text contains anything visible."""
    return _VISIBLE.search(text) is not None


def _visible(text: str) -> str:
    """Return the text; raises `ValueError` if it contains nothing visible."""
    if not shows_something(text):
        raise ValueError("must contain a visible character")
    return text


class Thought(Struct, frozen=True):
    """A thought as it was shared."""

    id: Annotated[Id, Meta(examples=[17])]
    username: Annotated[str, Meta(description="Who shared it.", examples=["bruce"])]
    text: Annotated[
        str,
        Meta(min_length=1, max_length=MAX_TEXT_CHARACTERS, examples=["Be water, my friend."]),
    ]
    timestamp: Annotated[datetime, Meta(tz=True, description="When it was shared, in UTC.")]


class NewThought(Struct, frozen=True):
    """The request to share a thought."""

    text: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=MAX_TEXT_CHARACTERS,
            description="CR LF counts as one character; at least one character must be visible.",
            examples=["Be water, my friend."],
            # Less strict than the rule: only what every regular expression dialect can express.
            extra_json_schema={"pattern": r"^[^\x00]*[^\s\x00-\x1f\x7f-\x9f][^\x00]*$"},
            extra={"rule": _visible},
        ),
    ]


class OwnThoughtsQuery(PageQuery, frozen=True, kw_only=True, omit_defaults=True):
    """Which of the thoughts to list."""

    search: Annotated[
        str,
        Meta(
            max_length=MAX_TEXT_CHARACTERS,
            extra_json_schema=WITHOUT_NUL,
            description="Only thoughts that contain this text, ignoring case and different forms "
            "of its characters; no character has a special meaning. A text without visible "
            "characters is ignored. A search that takes too long returns fewer entries than "
            '`limit`, or none, and continues at `rel="next"`.',
        ),
    ] = ""


class ThoughtsQuery(OwnThoughtsQuery, frozen=True, kw_only=True, omit_defaults=True):
    """Which of everybody's thoughts to list."""

    username: Annotated[
        str,
        Meta(
            max_length=MAX_USERNAME_CHARACTERS,
            extra_json_schema=WITHOUT_NUL,
            description="Only thoughts by this user, ignoring case.",
        ),
    ] = ""
