"""The shapes on the wire."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from mythoughts_chassis.inputs import MAX_ID, WITHOUT_NUL
from mythoughts_chassis.pages import Page

MAX_TEXT_CHARACTERS = 250
MAX_USERNAME_CHARACTERS = 50

Text = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_TEXT_CHARACTERS,
        pattern=r"^[^\u0000]*[^\s\u0000\u001c-\u001f][^\u0000]*$",
        description="In characters after CR LF has become LF; not only white space.",
        examples=["Be water, my friend."],
        extra={"refusal": "must not be only white space"},
    ),
]


class Thought(Struct, frozen=True):
    """A thought, as it was shared."""

    id: Annotated[int, Meta(ge=1, le=MAX_ID, examples=[17])]
    username: Annotated[str, Meta(description="Who shared it.", examples=["bruce"])]
    text: Text
    timestamp: Annotated[datetime, Meta(description="When it was shared, in UTC.")]


class NewThought(Struct, frozen=True):
    """What a user sends to share a thought."""

    text: Text


class OwnThoughtsQuery(Page, frozen=True, kw_only=True, omit_defaults=True):
    """Which of the thoughts to list."""

    search: Annotated[
        str,
        Meta(
            max_length=MAX_TEXT_CHARACTERS,
            extra_json_schema=WITHOUT_NUL,
            description="Only thoughts that contain this, in any case; every character counts "
            "as itself. White space alone is no search. A search that takes long answers fewer "
            'entries than `limit`, even none, and goes on at `rel="next"`.',
        ),
    ] = ""


class ThoughtsQuery(OwnThoughtsQuery, frozen=True, kw_only=True, omit_defaults=True):
    """Which of everybody's thoughts to list."""

    username: Annotated[
        str,
        Meta(
            max_length=MAX_USERNAME_CHARACTERS,
            extra_json_schema=WITHOUT_NUL,
            description="Only thoughts by this user, in any case.",
        ),
    ] = ""
