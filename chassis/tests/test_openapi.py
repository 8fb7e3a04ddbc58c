"""The OpenAPI document, generated from the endpoints."""

from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta
from openapi_spec_validator import validate

from mythoughts_chassis.endpoints import (
    Admin,
    Caller,
    Endpoint,
    RequestHeader,
    WithHeaders,
    delete,
    get,
    patch,
    post,
)
from mythoughts_chassis.openapi import committed_form, document
from mythoughts_chassis.pagination import Page
from mythoughts_chassis.problems import Conflict, NotFound


class Thing(msgspec.Struct):
    """A thing."""

    id: Annotated[int, Meta(ge=1)]
    name: str


class NewThing(msgspec.Struct):
    """What makes a thing."""

    name: Annotated[str, Meta(min_length=1, examples=["Cup"])]
    colour: Annotated[str, Meta(examples=["blue"])] = "white"


class ThingChange(msgspec.Struct):
    """What changes a thing."""

    name: str | None = None


class ThingsQuery(msgspec.Struct):
    """Which things."""

    limit: Annotated[int, Meta(ge=1, description="How many.")] = 20
    after: Annotated[int, Meta(ge=0, description="After which.")] | None = None


KEY = RequestHeader("Key", {"type": "string"}, ", ".join)


@get("/things")
async def list_things(query: ThingsQuery) -> Page[Thing]:
    """List things.

    The newest first.
    """
    raise NotImplementedError


@get("/things/{thing_id}", problems=(NotFound,), etag=True)
async def get_thing(thing_id: int) -> Thing:
    """Get a thing."""
    raise NotImplementedError


@post("/things", problems=(Conflict,), headers={"Location": "Where it is."})
async def make_thing(
    caller: Caller, key: Annotated[str, KEY], body: NewThing
) -> WithHeaders[Thing]:
    """Make a thing."""
    raise NotImplementedError


@delete("/admin/things/{thing_id}")
async def delete_thing(caller: Admin, thing_id: int) -> None:
    """Delete a thing."""


@patch("/things/{thing_id}")
async def change_thing(caller: Caller, thing_id: int, body: ThingChange) -> None:
    """Change a thing."""


@pytest.fixture
def openapi() -> dict[str, Any]:
    """The document of the handlers above."""
    endpoints = [list_things, get_thing, make_thing, delete_thing]
    tags = {
        "/things": {"name": "Things", "description": "All things."},
        "/admin/": {"name": "Administration", "description": "For admins."},
    }
    return document(endpoints, title="Things", version="1.0", description="Things.", tags=tags)


def test_document_is_valid(openapi: dict[str, Any]) -> None:
    """The document conforms to OpenAPI 3.1."""
    validate(openapi)

    assert openapi["openapi"] == "3.1.0"


def test_every_endpoint_is_in_it(openapi: dict[str, Any]) -> None:
    """Endpoints are documented under their paths."""
    assert set(openapi["paths"]) == {"/things", "/things/{thing_id}", "/admin/things/{thing_id}"}


def test_texts_come_from_the_docstring(openapi: dict[str, Any]) -> None:
    """The first sentence is the summary, the rest the description."""
    operation = openapi["paths"]["/things"]["get"]

    assert operation["summary"] == "List things"
    assert operation["description"] == "The newest first."
    assert operation["operationId"] == "list_things"


def test_query_parameters_come_from_the_shape(openapi: dict[str, Any]) -> None:
    """Each field is a parameter with bounds, description and default; none can be null."""
    limit, after = openapi["paths"]["/things"]["get"]["parameters"]

    assert limit == {
        "name": "limit",
        "in": "query",
        "required": False,
        "description": "How many.",
        "schema": {"type": "integer", "minimum": 1, "default": 20},
    }
    assert after["schema"] == {"type": "integer", "minimum": 0}


def test_path_parameter_is_an_id(openapi: dict[str, Any]) -> None:
    """Ids in paths are positive 64-bit integers."""
    (parameter,) = openapi["paths"]["/admin/things/{thing_id}"]["delete"]["parameters"]

    assert (parameter["name"], parameter["in"], parameter["required"]) == ("thing_id", "path", True)
    assert parameter["schema"] == {
        "type": "integer",
        "format": "int64",
        "minimum": 1,
        "maximum": 2**63 - 1,
    }


def test_request_header_is_a_parameter(openapi: dict[str, Any]) -> None:
    """Optional request headers are documented."""
    (parameter,) = openapi["paths"]["/things"]["post"]["parameters"]

    assert (parameter["name"], parameter["in"], parameter["required"]) == ("Key", "header", False)


@pytest.mark.parametrize(
    ("path", "method", "statuses"),
    [
        ("/things", "get", {"200", "400", "503"}),
        ("/things/{thing_id}", "get", {"200", "304", "404", "503"}),
        ("/things", "post", {"201", "400", "401", "408", "409", "413", "415", "503"}),
        ("/admin/things/{thing_id}", "delete", {"204", "401", "403", "503"}),
    ],
)
def test_every_status_is_documented(
    openapi: dict[str, Any], path: str, method: str, statuses: set[str]
) -> None:
    """Success, named problems, and those caused by parameters, body and caller are documented."""
    assert set(openapi["paths"][path][method]["responses"]) == statuses


def test_guarded_operations_ask_for_a_token(openapi: dict[str, Any]) -> None:
    """A caller in the signature means security; without one, the document says so."""
    security = {
        operation["operationId"]: operation["security"]
        for item in openapi["paths"].values()
        for operation in item.values()
    }

    assert security == {
        "list_things": [],
        "get_thing": [],
        "make_thing": [{"bearer": []}],
        "delete_thing": [{"bearer": []}],
    }


def test_operations_are_grouped_by_their_paths(openapi: dict[str, Any]) -> None:
    """Each operation has the tag for its path prefix."""
    tags = {
        operation["operationId"]: operation["tags"]
        for item in openapi["paths"].values()
        for operation in item.values()
    }

    assert openapi["tags"] == [
        {"name": "Things", "description": "All things."},
        {"name": "Administration", "description": "For admins."},
    ]
    assert tags == {
        "list_things": ["Things"],
        "get_thing": ["Things"],
        "make_thing": ["Things"],
        "delete_thing": ["Administration"],
    }


def test_body_is_declared_as_json(openapi: dict[str, Any]) -> None:
    """A body is declared with one media type; the text says that forms are also accepted."""
    body = openapi["paths"]["/things"]["post"]["requestBody"]

    assert body["content"].keys() == {"application/json"}
    assert body["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/NewThing"
    }
    assert "application/x-www-form-urlencoded" in openapi["info"]["description"]
    assert "multipart/form-data" in openapi["info"]["description"]


def test_example_of_a_body_has_what_must_be_there(openapi: dict[str, Any]) -> None:
    """A client that sends the example does only what is required."""
    body = openapi["paths"]["/things"]["post"]["requestBody"]

    assert body["content"]["application/json"]["example"] == {"name": "Cup"}


def test_answer_comes_from_the_return_type(openapi: dict[str, Any]) -> None:
    """The schema of a success is that of the return type; a page is a list."""
    responses = openapi["paths"]["/things"]["get"]["responses"]

    assert responses["200"]["content"]["application/json"]["schema"] == {
        "type": "array",
        "items": {"$ref": "#/components/schemas/Thing"},
    }


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [("/admin/things/{thing_id}", "delete", "204"), ("/things/{thing_id}", "get", "304")],
)
def test_answer_without_a_body_has_no_content(
    openapi: dict[str, Any], path: str, method: str, status: str
) -> None:
    """204 and 304 have no documented content."""
    assert "content" not in openapi["paths"][path][method]["responses"][status]


def test_problems_share_one_schema(openapi: dict[str, Any]) -> None:
    """Every error is documented as problem details."""
    content = openapi["paths"]["/things"]["post"]["responses"]["409"]["content"]

    assert content == {
        "application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}
    }
    assert set(openapi["components"]["schemas"]["ProblemDetails"]["required"]) == {
        "title",
        "status",
        "detail",
        "request_id",
    }


def test_headers_are_documented(openapi: dict[str, Any]) -> None:
    """Responses document their request id and other headers."""
    page = openapi["paths"]["/things"]["get"]["responses"]["200"]
    created = openapi["paths"]["/things"]["post"]["responses"]["201"]

    assert set(page["headers"]) == {"X-Request-ID", "Link"}
    assert set(created["headers"]) == {"X-Request-ID", "Location"}


def test_committed_form_is_the_same_each_time(openapi: dict[str, Any]) -> None:
    """The committed form is readable and ends with a line break."""
    form = committed_form(openapi)

    assert msgspec.json.decode(form) == openapi
    assert form.endswith(b"}\n")
    assert form.count(b"\n") > 50


@pytest.mark.parametrize(("endpoint", "required"), [(make_thing, True), (change_thing, False)])
def test_body_must_be_there_if_one_of_its_fields_must(endpoint: Endpoint, required: bool) -> None:
    """A body may be missing if all of its fields may."""
    (item,) = document([endpoint], title="Things", version="1.0", description="")["paths"].values()
    (operation,) = item.values()

    assert operation["requestBody"]["required"] is required
