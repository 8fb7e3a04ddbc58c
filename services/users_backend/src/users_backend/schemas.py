"""The shapes of requests and responses."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from mythoughts_chassis.inputs import INT64, WITHOUT_NUL, Id
from mythoughts_chassis.pagination import PageQuery
from mythoughts_chassis.settings import Secret
from users_backend.names import MAX_USERNAME_CHARACTERS, enforce

Username = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_USERNAME_CHARACTERS,
        description="In any script, with single spaces inside; RFC 8265 (PRECIS) defines the "
        "allowed characters. Stored in Unicode's form NFC. Names that differ only in case are the "
        "same, and no name may look like another (UTS #39).",
        examples=["lena"],
        # Less strict than the rule: only what every regular expression dialect can express.
        extra_json_schema={"pattern": r"^\S(.*\S)?$"},
        extra={"rule": enforce},
    ),
]
# Longer than a stored name: in another form (NFD) it may have more characters.
MAX_TYPED_CHARACTERS = 4 * MAX_USERNAME_CHARACTERS
MAX_PASSWORD_CHARACTERS = 128


def _password(*, min_length: int, description: str, example: str) -> Meta:
    """Describe a password: its limits are both enforced and published."""
    limits = {"type": "string", "maxLength": MAX_PASSWORD_CHARACTERS, "minLength": min_length}
    text = Annotated[str, Meta(min_length=min_length, max_length=MAX_PASSWORD_CHARACTERS)]
    return Meta(
        description=description,
        examples=[example],
        extra_json_schema={"format": "password", "writeOnly": True, **WITHOUT_NUL, **limits},
        extra={"text": text, "rule": Secret},
    )


_NEW_PASSWORD = _password(
    min_length=8,
    description="8 to 128 characters of any kind, but nothing easy to guess, such as a common "
    "password or a name with little added.",
    example="be water, my friend",
)
NewPassword = Annotated[Secret, _NEW_PASSWORD]
PresentPassword = Annotated[
    Secret, _password(min_length=1, description="The current password.", example="bruce")
]


class User(Struct, frozen=True):
    """A user, as shown to admins and to the user."""

    id: Annotated[Id, Meta(examples=[3])]
    username: Annotated[str, Meta(description="As entered at creation.", examples=["bruce"])]
    creation: Annotated[datetime, Meta(tz=True, description="When the user was created, in UTC.")]
    is_admin: bool
    is_disabled: Annotated[bool, Meta(description="Whether the user is kept from logging in.")]


class UsersQuery(PageQuery, frozen=True, kw_only=True, omit_defaults=True):
    """Which of the users to list."""

    search: Annotated[
        str,
        Meta(
            max_length=MAX_TYPED_CHARACTERS,
            extra_json_schema=WITHOUT_NUL,
            description="Only users whose names contain this, ignoring case.",
        ),
    ] = ""


class Session(Struct, frozen=True):
    """One of the caller's sessions, which began with a login."""

    id: Annotated[Id, Meta(examples=[5])]
    creation: Annotated[datetime, Meta(tz=True, description="When the user logged in, in UTC.")]
    expires: Annotated[
        datetime,
        Meta(
            tz=True,
            description="When it ends at the latest, in UTC; it is over earlier if its last token "
            "expires.",
        ),
    ]
    user_agent: Annotated[
        str,
        Meta(description="What logged in, as it named itself.", examples=["curl/8.5.0"]),
    ]
    current: Annotated[bool, Meta(description="Whether the request belongs to it.")]


class Login(Struct, frozen=True):
    """The request to log in."""

    username: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=MAX_TYPED_CHARACTERS,
            extra_json_schema=WITHOUT_NUL,
            description="In any case and any Unicode normal form; extra spaces are ignored.",
            examples=["bruce"],
        ),
    ]
    password: PresentPassword
    new_password: Annotated[Secret | UnsetType, _NEW_PASSWORD] = UNSET


class LoggedIn(Struct, frozen=True):
    """The response to a login, and to the request for a new token."""

    authorized: Annotated[
        str,
        Meta(
            pattern="^Bearer [A-Za-z0-9_.-]+$",
            description="The value for the `Authorization` header of further requests.",
            examples=[
                "Bearer eyJhbGciOiJSUzI1NiIsImtpZCI6ImV4YW1wbGUifQ.eyJzdWIiOiIzIn0.c2lnbmF0dXJl"
            ],
        ),
    ] = msgspec.field(name="Authorized")
    device_token: (
        Annotated[
            str,
            Meta(
                description="After a login: what to send as `X-Device-Token` with the next login "
                "from this device.",
                examples=["q8f3Wk0l2pT9XyZ5sV1bN7cM4dR6eH0uJ3gA8iK2oLw"],
            ),
        ]
        | msgspec.UnsetType
    ) = msgspec.UNSET


class NewUser(Struct, frozen=True):
    """The request to create a user."""

    username: Username
    password: NewPassword


class PasswordChange(Struct, frozen=True):
    """The request to change your own password."""

    password: PresentPassword
    new_password: NewPassword


class UserChange(Struct, frozen=True):
    """The request of an admin to change a user; what is not given stays as it is."""

    is_admin: Annotated[bool | UnsetType, Meta(description="The rights of an admin.")] = UNSET
    is_disabled: Annotated[
        bool | UnsetType, Meta(description="Whether to keep the user from logging in.")
    ] = UNSET
    password: Annotated[Secret | UnsetType, _NEW_PASSWORD] = UNSET


class Deletion(Struct, frozen=True):
    """The request to delete your own account."""

    password: PresentPassword
    dry_run: Annotated[
        bool, Meta(description="Only check whether it is possible, and delete nothing.")
    ] = False


class PublicKey(Struct, frozen=True):
    """A key for verifying tokens, in the form of RFC 7517."""

    kty: str
    use: str
    alg: str
    kid: Annotated[str, Meta(description="As in the header of tokens signed with this key.")]
    nbf: Annotated[
        int,
        Meta(description="When it starts signing, in seconds since 1970.", extra_json_schema=INT64),
    ]
    n: str
    e: str


class PublicKeys(Struct, frozen=True):
    """The keys for verifying tokens, newest first."""

    keys: list[PublicKey]


class EndedSessions(Struct, frozen=True):
    """The sessions that have ended."""

    jwt: Annotated[
        str,
        Meta(
            description="A status list (draft-ietf-oauth-status-list) with a bit for each session, "
            "signed with the keys of the tokens. The first bit is the session with the id `first`, "
            "a claim beside those of the draft."
        ),
    ]
