"""The HTTP endpoints."""

from typing import Annotated

from mythoughts_chassis.endpoints import Admin, Answer, Caller, RequestHeader, delete, get, post
from mythoughts_chassis.pagination import Page
from mythoughts_chassis.problems import BadInput, Conflict, Gone, NotFound, UnprocessableContent
from thoughts_backend import thoughts
from thoughts_backend.parts import Parts
from thoughts_backend.schemas import NewThought, OwnThoughtsQuery, Thought, ThoughtsQuery


def idempotency_key(values: list[str]) -> str | None:
    """Return the key among the values of the header, or None; raises `BadInput`."""
    if not values:
        return None
    (key, *others) = values
    if others or not 1 <= len(key) <= 255 or not all("!" <= character <= "~" for character in key):
        raise BadInput("Idempotency-Key: must be 1 to 255 visible ASCII characters, given once.")
    return key


IDEMPOTENCY_KEY = RequestHeader(
    "Idempotency-Key",
    {
        "type": "string",
        "minLength": 1,
        "maxLength": 255,
        "pattern": "^[\\x21-\\x7e]+$",
        "description": "For 24 hours, a repeated request with this key gets the same response.",
    },
    idempotency_key,
)


@get("/api/thoughts")
async def list_thoughts(parts: Parts, query: ThoughtsQuery) -> Page[Thought]:
    """List or search everybody's thoughts, newest first."""
    return await thoughts.find(parts.public_database, parts.search, query, username=query.username)


@get("/api/thoughts/{thought_id}", etag=True, problems=(NotFound,))
async def get_thought(parts: Parts, thought_id: int) -> Thought:
    """Get one thought."""
    return await thoughts.get(parts.database, thought_id)


@get("/api/me/thoughts")
async def list_own_thoughts(parts: Parts, caller: Caller, query: OwnThoughtsQuery) -> Page[Thought]:
    """List or search your own thoughts, newest first."""
    return await thoughts.find(parts.database, parts.search, query, user_id=caller.user_id)


@post(
    "/api/me/thoughts",
    problems=(Conflict, Gone, UnprocessableContent),
    headers={"Location": "The address of the thought."},
)
async def share_thought(
    parts: Parts,
    caller: Caller,
    key: Annotated[str | None, IDEMPOTENCY_KEY],
    body: NewThought,
) -> Answer[Thought]:
    """Share a thought.

    The server sets the author and the time. With an `Idempotency-Key` the request can be repeated
    safely if its response was lost: 409 means that the first request is still in progress, 410
    that the thought has since been deleted, 422 that the key was used for another text.
    """
    thought = await thoughts.share(parts.database, caller, body.text, idempotency_key=key)
    return Answer(thought, {"Location": f"/api/thoughts/{thought.id}"})


@delete("/api/me/thoughts/{thought_id}", problems=(NotFound,))
async def delete_own_thought(parts: Parts, caller: Caller, thought_id: int) -> None:
    """Delete one of your own thoughts."""
    await thoughts.delete_own(parts.database, thought_id, caller.user_id)


@delete("/admin/thoughts/{thought_id}", problems=(NotFound,))
async def delete_any_thought(parts: Parts, caller: Admin, thought_id: int) -> None:
    """Delete anybody's thought; succeeds even if it is already gone."""
    await thoughts.delete_any(parts.database, thought_id)


ENDPOINTS = (
    list_thoughts,
    get_thought,
    list_own_thoughts,
    share_thought,
    delete_own_thought,
    delete_any_thought,
)
