"""Endpoints, as served: what they are given, and what their results become."""

from dataclasses import dataclass, replace
from typing import Annotated

import msgspec
import pytest

from chassis.tests.conftest import ServeEndpoints
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
from mythoughts_chassis.problems import Conflict, NotFound
from mythoughts_chassis.tokens import Principal
from testkit.http_client import HttpClient
from testkit.token_maker import TokenMaker


class Thing(msgspec.Struct):
    """A thing."""

    id: int
    name: str


class NewThing(msgspec.Struct):
    """What makes a thing."""

    name: str


@dataclass
class Parts:
    """What the endpoints use."""

    things: dict[int, str]
    banned: str = "mallory"
    demoted: str = "eve"


async def guard(parts: Parts, caller: Principal) -> Principal:
    """Reject one caller, and take away the rights of another."""
    if caller.username == parts.banned:
        raise Conflict("You are banned.")
    return replace(caller, is_admin=caller.is_admin and caller.username != parts.demoted)


@get("/things")
async def list_things(parts: Parts, query: PageQuery) -> Page[Thing]:
    """List things."""
    ids = sorted((i for i in parts.things if query.above < i < query.below), reverse=True)
    return query.page([Thing(i, parts.things[i]) for i in ids[: query.limit + 1]])


@get("/things/{thing_id}", etag=True)
async def get_thing(parts: Parts, thing_id: int) -> Thing:
    """Get a thing."""
    if thing_id not in parts.things:
        raise NotFound("There is no such thing.")
    return Thing(thing_id, parts.things[thing_id])


def only_value(values: list[str]) -> str:
    """Return the only value of a header."""
    if len(values) > 1:
        raise Conflict("Several keys.")
    return values[0] if values else "none"


@post("/things", headers={"Location": "Where it is."})
async def make_thing(
    parts: Parts,
    caller: Caller,
    key: Annotated[str, RequestHeader("Key", {}, only_value)],
    body: NewThing,
) -> WithHeaders[Thing]:
    """Make a thing."""
    thing_id = max(parts.things) + 1
    name = f"{body.name} by {caller.username}, {key}"
    return WithHeaders(Thing(thing_id, name), {"Location": f"/things/{thing_id}"})


@delete("/things/{thing_id}")
async def delete_thing(parts: Parts, caller: Admin, thing_id: int) -> None:
    """Delete a thing."""
    del parts.things[thing_id]


@pytest.fixture
def parts() -> Parts:
    """Three things."""
    return Parts({1: "one", 2: "two", 3: "three"})


@pytest.fixture
def http(serve_endpoints: ServeEndpoints, parts: Parts) -> HttpClient:
    """A client of the endpoints above."""
    return serve_endpoints(
        list_things, get_thing, make_thing, delete_thing, parts=parts, guard=guard
    )


def test_path_gives_the_id(http: HttpClient) -> None:
    """An id in the path is an integer, and the content JSON."""
    answer = http.get("/things/2")

    assert (answer.status, answer.json()) == (200, {"id": 2, "name": "two"})
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("path", ["/things/x", "/things/0", "/things/9", "/thing", "/"])
def test_unknown_path_is_not_found(http: HttpClient, path: str) -> None:
    """No route, no id, and a `NotFound` of the handler are all 404."""
    assert http.get(path).status == 404


@pytest.mark.parametrize("path", ["/things/2/", "/things/2//"])
def test_slash_at_the_end_makes_no_difference(http: HttpClient, path: str) -> None:
    """A path with a slash at its end is the same path, for all methods."""
    assert http.get(path).json()["id"] == 2
    assert http.request("OPTIONS", path).headers["Allow"] == "DELETE, GET, HEAD, OPTIONS"


@pytest.mark.parametrize(
    ("path", "allow"),
    [("/things", "GET, HEAD, OPTIONS, POST"), ("/things/2", "DELETE, GET, HEAD, OPTIONS")],
)
def test_methods_of_a_path_are_listed(http: HttpClient, path: str, allow: str) -> None:
    """OPTIONS and 405 list all methods of the path, whichever endpoints they belong to."""
    options, refused = http.request("OPTIONS", path), http.request("PUT", path)

    assert (options.status, options.body, options.headers["Allow"]) == (204, b"", allow)
    assert (refused.status, refused.headers["Allow"]) == (405, allow)


@pytest.mark.parametrize("path", ["/things", "/things/2", "/things/9"])
def test_head_is_get_without_the_body(http: HttpClient, path: str) -> None:
    """HEAD has the status and the headers of GET, its length included."""
    get_answer, head = http.get(path), http.request("HEAD", path)

    assert (head.status, head.body) == (get_answer.status, b"")
    for name in ("Content-Length", "Content-Type"):
        assert head.headers[name] == get_answer.headers[name]


def test_page_has_links_to_its_neighbours(http: HttpClient) -> None:
    """A page is a list, with a Link header made from the query."""
    answer = http.get("/things?limit=1&max_id=3")

    assert [thing["id"] for thing in answer.json()] == [2]
    assert answer.headers["Link"] == (
        '</things?limit=1&max_id=2>; rel="next", </things?limit=1&min_id=2>; rel="prev"'
    )


def test_empty_page_has_no_link(http: HttpClient, parts: Parts) -> None:
    """Where there are no neighbours, there is no Link header."""
    parts.things.clear()

    answer = http.get("/things")

    assert (answer.json(), answer.headers["Link"]) == ([], None)


def test_unchanged_content_is_not_sent_again(http: HttpClient, parts: Parts) -> None:
    """With its ETag, the same content is 304, other content 200."""
    etag = {"If-None-Match": http.get("/things/2").headers["ETag"]}

    unchanged = http.get("/things/2", headers=etag)
    parts.things[2] = "zwei"
    changed = http.get("/things/2", headers=etag)

    assert (unchanged.status, unchanged.body) == (304, b"")
    assert (changed.status, changed.json()["name"]) == (200, "zwei")


def test_result_may_have_headers(http: HttpClient, token_maker: TokenMaker) -> None:
    """Caller, header and body reach the handler; an `WithHeaders` has headers of its own."""
    token = token_maker.token("bruce")

    answer = http.post("/things", token=token, json={"name": "four"}, headers={"Key": "k"})

    assert (answer.status, answer.headers["Location"]) == (201, "/things/4")
    assert answer.json()["name"] == "four by bruce, k"


def test_caller_is_checked_before_anything_else(http: HttpClient, token_maker: TokenMaker) -> None:
    """Token, then the service's guard, then headers, then the body."""
    broken = {"body": b"{", "headers": {"Content-Type": "application/json"}}
    bruce, mallory = (token_maker.token(name) for name in ("bruce", "mallory"))

    assert http.post("/things", **broken).status == 401
    assert http.post("/things", token=mallory, **broken).status == 409
    assert http.post("/things", token=bruce, **broken).status == 400


def test_admin_in_the_signature_admits_only_admins(
    http: HttpClient, token_maker: TokenMaker, parts: Parts
) -> None:
    """Without a token 401, without being an admin 403, with it 204 and no body."""
    nobody = http.request("DELETE", "/things/1")
    user = http.request("DELETE", "/things/1", token=token_maker.token("bruce"))
    kept = 1 in parts.things
    admin = http.request("DELETE", "/things/1", token=token_maker.admin_token())

    assert (nobody.status, user.status, admin.status, admin.body) == (401, 403, 204, b"")
    assert (kept, 1 in parts.things) == (True, False)


def test_guard_decides_on_rights(http: HttpClient, token_maker: TokenMaker) -> None:
    """A caller is an admin only if the guard agrees with the token."""
    token = token_maker.token("eve", scope="admin")

    assert http.delete("/things/1", token=token).status == 403
