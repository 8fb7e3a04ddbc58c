"""The shapes on the wire."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from mythoughts_chassis.inputs import MAX_ID, WITHOUT_NUL

MAX_USERNAME_CHARACTERS = 50

# What no name may hold: control, format, private and reserved characters, line and paragraph
# separators, white space but U+0020, and what shows nothing. As escapes for every
# dialect of regular expressions, but for those beyond U+FFFF, which only the characters
# themselves can stand for in all of them.
_REFUSED = (
    r"\u0000-\u001f\u007f-\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f"
    r"\u2000-\u200b\u200e\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ue000-\uf8ff\ufdd0-\ufdef"
    r"\ufe00-\ufe0d\ufeff\uffa0\ufff0-\uffff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U0010ffff"
)
# Joiners and the choice between text and emoji: languages and emoji need them inside a name.
_JOINERS = r"\u200c\u200d\ufe0e\ufe0f"

# It neither begins with these, nor holds those, nor ends with a space.
USERNAME_PATTERN = rf"^(?![{_JOINERS}\u0020])(?!.*[{_REFUSED}]).*[^\u0020]$"

_SECRET = {"format": "password", "writeOnly": True, **WITHOUT_NUL}

Username = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_USERNAME_CHARACTERS,
        pattern=USERNAME_PATTERN,
        description="In any script, with spaces inside; stored in Unicode's form NFC. "
        "Names that differ only in case are the same.",
        examples=["bruce"],
        extra={
            "refusal": "must consist of visible characters; "
            "ordinary spaces may stand between them, not at an end"
        },
    ),
]
NewPassword = Annotated[
    str,
    Meta(
        min_length=8,
        max_length=128,
        description="8 to 128 characters, any.",
        extra_json_schema=_SECRET,
    ),
]
PresentPassword = Annotated[
    str, Meta(min_length=1, max_length=128, description="As it is now.", extra_json_schema=_SECRET)
]


class User(Struct, frozen=True):
    """A user, as everybody may know of them who may see users at all."""

    id: Annotated[int, Meta(ge=1, le=MAX_ID, examples=[3])]
    username: Annotated[str, Meta(description="As it was given.", examples=["bruce"])]
    creation: Annotated[datetime, Meta(description="When the user was created, in UTC.")]


class Login(Struct, frozen=True):
    """What somebody sends to log in."""

    # Longer than a name can be, which may come in a form that takes more characters (NFD).
    username: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=4 * MAX_USERNAME_CHARACTERS,
            extra_json_schema=WITHOUT_NUL,
            description="In any case and any of Unicode's normal forms.",
            examples=["bruce"],
        ),
    ]
    password: PresentPassword


class LoggedIn(Struct, frozen=True):
    """The answer to a login."""

    authorized: Annotated[
        str,
        Meta(
            pattern="^Bearer [A-Za-z0-9_.-]+$",
            description="The value of the `Authorization` header of requests to come.",
            examples=["Bearer eyJhbGciOi…"],
        ),
    ] = msgspec.field(name="Authorized")


class NewUser(Struct, frozen=True):
    """What an admin sends to create a user."""

    username: Username
    password: NewPassword


class PasswordChange(Struct, frozen=True):
    """What a user sends to change their password."""

    password: PresentPassword
    new_password: NewPassword


class PublicKey(Struct, frozen=True):
    """A key that verifies tokens, in the form of RFC 7517."""

    kty: str
    use: str
    alg: str
    kid: Annotated[str, Meta(description="As in the header of the tokens that it signed.")]
    nbf: Annotated[int, Meta(description="From when on it signs, in seconds since 1970.")]
    n: str
    e: str


class PublicKeys(Struct, frozen=True):
    """The keys that verify tokens, newest first."""

    keys: list[PublicKey]
