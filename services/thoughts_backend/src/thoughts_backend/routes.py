"""The HTTP endpoints."""

from hashlib import blake2b
from typing import Any

import msgspec
from litestar import Request, Response, delete, get, post

from mythoughts_chassis.authentication import principal_of, requires_admin, requires_user
from mythoughts_chassis.inputs import parse_id, read_body, read_query
from mythoughts_chassis.openapi import documented
from mythoughts_chassis.problems import BadInput, Conflict, Gone, NotFound, UnprocessableContent
from mythoughts_chassis.static_content import matches_etag
from thoughts_backend import thoughts
from thoughts_backend.schemas import NewThought, OwnThoughtsQuery, Thought, ThoughtsQuery

AnyRequest = Request[Any, Any, Any]

LINK = {"Link": 'The neighbouring pages (RFC 8288): `rel="next"` is older, `rel="prev"` newer.'}
IDEMPOTENCY_KEY = {
    "type": "string",
    "minLength": 1,
    "maxLength": 255,
    "pattern": "^[\\x21-\\x7e]+$",
    "description": "A repetition with the same key within 24 hours gets the same response.",
}


@get("/api/thoughts", opt=documented(query=ThoughtsQuery, headers=LINK))
async def list_thoughts(request: AnyRequest) -> Response[list[Thought]]:
    """List or search everybody's thoughts, newest first."""
    query = read_query(request, ThoughtsQuery)
    state = request.app.state
    page = await thoughts.find(state.public_database, state.search, query, username=query.username)
    return _list(page, query, "/api/thoughts")


@get(
    "/api/thoughts/{thought_id:str}",
    opt=documented(
        problems=(NotFound,),
        request_headers={"If-None-Match": {"type": "string"}},
        headers={"ETag": "Identifies exactly this response."},
        not_modified=True,
    ),
)
async def get_thought(request: AnyRequest, thought_id: str) -> Response[Thought]:
    """Get one thought."""
    thought = await thoughts.get(request.app.state.database, parse_id(thought_id))
    content = msgspec.json.encode(thought)
    etag = f'"{blake2b(content, digest_size=12).hexdigest()}"'
    if matches_etag(", ".join(request.headers.getall("if-none-match", [])), etag):
        return Response(None, status_code=304, headers={"ETag": etag})  # type: ignore[arg-type]
    return Response(content, media_type="application/json", headers={"ETag": etag})  # type: ignore[arg-type]


@get(
    "/api/me/thoughts",
    guards=[requires_user],
    opt=documented(query=OwnThoughtsQuery, headers=LINK),
)
async def list_own_thoughts(request: AnyRequest) -> Response[list[Thought]]:
    """List or search your own thoughts, newest first."""
    query = read_query(request, OwnThoughtsQuery)
    state, user_id = request.app.state, principal_of(request).user_id
    page = await thoughts.find(state.database, state.search, query, user_id=user_id)
    return _list(page, query, "/api/me/thoughts")


@post(
    "/api/me/thoughts",
    guards=[requires_user],
    opt=documented(
        body=NewThought,
        problems=(Conflict, Gone, UnprocessableContent),
        request_headers={"Idempotency-Key": IDEMPOTENCY_KEY},
        headers={"Location": "The address of the thought."},
    ),
)
async def share_thought(request: AnyRequest) -> Response[Thought]:
    """Share a thought.

    The server sets author and time. With an `Idempotency-Key` the request can be repeated
    safely if its response was lost: 409 means that the first request is still in progress, 410
    that the thought has since been deleted, 422 that the key was used for another text.
    """
    key = _idempotency_key(request)
    body = await read_body(request, NewThought)
    thought = await thoughts.share(
        request.app.state.database, principal_of(request), body.text, idempotency_key=key
    )
    return Response(thought, headers={"Location": f"/api/thoughts/{thought.id}"})


@delete(
    "/api/me/thoughts/{thought_id:str}",
    guards=[requires_user],
    opt=documented(problems=(NotFound,)),
)
async def delete_own_thought(request: AnyRequest, thought_id: str) -> None:
    """Delete one of your own thoughts."""
    user_id = principal_of(request).user_id
    await thoughts.delete_own(request.app.state.database, parse_id(thought_id), user_id)


@delete(
    "/admin/thoughts/{thought_id:str}",
    guards=[requires_admin],
    opt=documented(problems=(NotFound,)),
)
async def delete_any_thought(request: AnyRequest, thought_id: str) -> None:
    """Delete anybody's thought; succeeds even if it is already gone."""
    await thoughts.delete_any(request.app.state.database, parse_id(thought_id))


HANDLERS = (
    list_thoughts,
    get_thought,
    list_own_thoughts,
    share_thought,
    delete_own_thought,
    delete_any_thought,
)


def _list(
    page: thoughts.ThoughtsPage, query: OwnThoughtsQuery, path: str
) -> Response[list[Thought]]:
    link = query.link(path, older_than=page.older_than, newer_than=page.newer_than)
    return Response(page.thoughts, headers={"Link": link} if link else None)


def _idempotency_key(request: AnyRequest) -> str | None:
    keys = request.headers.getall("idempotency-key", [])
    if not keys:
        return None
    (key, *others) = keys
    if others or not 1 <= len(key) <= 255 or not all("!" <= character <= "~" for character in key):
        raise BadInput("Idempotency-Key: must be 1 to 255 visible ASCII characters, given once.")
    return key
