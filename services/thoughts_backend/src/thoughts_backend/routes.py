"""The HTTP endpoints."""

from typing import Annotated

from mythoughts_chassis import audit
from mythoughts_chassis.audit import AuditEntry
from mythoughts_chassis.clients import Client
from mythoughts_chassis.endpoints import (
    Admin,
    Caller,
    RequestHeader,
    WithHeaders,
    delete,
    get,
    post,
)
from mythoughts_chassis.pagination import Page, PageQuery
from mythoughts_chassis.problems import (
    BadInput,
    Conflict,
    Gone,
    NotFound,
    TooManyRequests,
    UnprocessableContent,
)
from mythoughts_chassis.rate_limits import RATE_LIMIT_HEADERS
from thoughts_backend import sharing, thoughts
from thoughts_backend.parts import Parts
from thoughts_backend.schemas import (
    NewThought,
    OwnThoughtsQuery,
    Thought,
    ThoughtsQuery,
    shows_something,
)


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


@get("/api/thoughts", problems=(TooManyRequests,), headers=RATE_LIMIT_HEADERS)
async def list_thoughts(
    parts: Parts, client: Client, query: ThoughtsQuery
) -> WithHeaders[Page[Thought]]:
    """List or search everybody's thoughts, newest first."""
    limits = parts.search_limit.count(client) if shows_something(query.search) else {}
    page = await thoughts.find(parts.public_database, parts.search, query, username=query.username)
    return WithHeaders(page, limits)


@get("/api/thoughts/{thought_id}", etag=True, problems=(NotFound,))
async def get_thought(parts: Parts, thought_id: int) -> Thought:
    """Get one thought."""
    return await thoughts.get(parts.database, thought_id)


@get("/api/me/thoughts", problems=(TooManyRequests,), headers=RATE_LIMIT_HEADERS)
async def list_own_thoughts(
    parts: Parts, caller: Caller, client: Client, query: OwnThoughtsQuery
) -> WithHeaders[Page[Thought]]:
    """List or search your own thoughts, newest first."""
    limits = parts.search_limit.count(client) if shows_something(query.search) else {}
    page = await thoughts.find(parts.database, parts.search, query, user_id=caller.user_id)
    return WithHeaders(page, limits)


@post(
    "/api/me/thoughts",
    problems=(Conflict, Gone, UnprocessableContent, TooManyRequests),
    headers={"Location": "The address of the thought.", **RATE_LIMIT_HEADERS},
)
async def share_thought(
    parts: Parts,
    caller: Caller,
    key: Annotated[str | None, IDEMPOTENCY_KEY],
    body: NewThought,
) -> WithHeaders[Thought]:
    """Share a thought.

    The server sets the author and the time. With an `Idempotency-Key` the request can be repeated
    safely if its response was lost: 409 means that the first request is still in progress, 410
    that the thought has since been deleted, 422 that the key was used for another text. 429 means
    that you have shared too many thoughts in a minute or a day.
    """
    shared = await sharing.share(
        parts.database, parts.share_limits, caller, body.text, idempotency_key=key
    )
    location = f"/api/thoughts/{shared.thought.id}"
    return WithHeaders(shared.thought, {"Location": location, **shared.headers})


@delete("/api/me/thoughts/{thought_id}", problems=(NotFound,))
async def delete_own_thought(parts: Parts, caller: Caller, thought_id: int) -> None:
    """Delete one of your own thoughts."""
    await thoughts.delete_own(parts.database, thought_id, caller.user_id)


@delete("/api/me/thoughts")
async def delete_own_thoughts(parts: Parts, caller: Caller, client: Client) -> None:
    """Delete all your thoughts.

    It also deletes the stored responses to requests with an `Idempotency-Key`. If you have so many
    thoughts that it takes too long, the response is 503; repeat the request until it is 204.
    """
    await thoughts.delete_all_own(parts.database, caller, client)


@delete("/admin/thoughts/{thought_id}", problems=(NotFound,))
async def delete_any_thought(parts: Parts, caller: Admin, client: Client, thought_id: int) -> None:
    """Delete anybody's thought; succeeds even if it is already gone."""
    await thoughts.delete_any(parts.database, thought_id, caller, client)


@get("/admin/audit")
async def list_audit(
    parts: Parts, caller: Admin, client: Client, query: PageQuery
) -> Page[AuditEntry]:
    """List the audit log, newest first: who deleted what, when and from where."""
    return await audit.read(parts.database, query, client, caller)


ENDPOINTS = (
    list_thoughts,
    get_thought,
    list_own_thoughts,
    share_thought,
    delete_own_thought,
    delete_own_thoughts,
    delete_any_thought,
    list_audit,
)
