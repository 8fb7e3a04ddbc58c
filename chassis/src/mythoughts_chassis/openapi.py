"""The OpenAPI 3.1 document of an API, generated from the declarations of its `endpoints`."""

import inspect
import json
import typing
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import msgspec

from mythoughts_chassis import problems
from mythoughts_chassis.endpoints import Admin, Endpoint, WithHeaders
from mythoughts_chassis.inputs import BODY_TYPES, Id
from mythoughts_chassis.pagination import Page
from mythoughts_chassis.problems import Problem, ProblemDetails
from mythoughts_chassis.rate_limits import RATE_LIMIT_HEADERS

Json = dict[str, Any]

_PROBLEM_HEADERS = {
    401: {"WWW-Authenticate": "The challenge, `Bearer`."},
    429: {"Retry-After": "Seconds to wait before trying again.", **RATE_LIMIT_HEADERS},
    503: {"Retry-After": "Seconds to wait before trying again."},
}
_LINK = 'The neighbouring pages (RFC 8288): `rel="next"` is older, `rel="prev"` newer.'
# Not declared for each body: generated clients would send all types at once.
_ABOUT_BODIES = (
    "Bodies are JSON. The same fields are also accepted as form data "
    f"(`{BODY_TYPES[1]}` or `{BODY_TYPES[2]}`)."
)
_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "The value of `Authorized` in a login response, with or without `Bearer`.",
}


def document(
    endpoints: Iterable[Endpoint],
    *,
    title: str,
    version: str,
    description: str,
    tags: Mapping[str, Json] = MappingProxyType({}),
) -> Json:
    """Return the OpenAPI document of the endpoints.

    `tags` maps a path prefix to the tag of the operations below it.
    """
    schemas: Json = {}
    paths: dict[str, Json] = {}
    for endpoint in endpoints:
        operation = _operation(endpoint, schemas)
        operation["tags"] = [tags[at]["name"] for at in tags if endpoint.path.startswith(at)]
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": version,
            "description": f"{description}\n\n{_ABOUT_BODIES}",
            "contact": {"name": "MyThoughts"},
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": list(tags.values()),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"bearer": _BEARER},
        },
    }


def committed_form(openapi: Json) -> bytes:
    """Return the document in the form in which it is committed."""
    # In ASCII: patterns contain invisible characters.
    return json.dumps(openapi, indent=2).encode() + b"\n"


def _content(wanted: Any, components: Json) -> Json:
    """Return the content of a body of this type, and add the Structs in it to the components."""
    (schema,), structs = msgspec.json.schema_components(
        [wanted],
        ref_template="#/components/schemas/{name}",
        # `Secret` is the only type unknown to msgspec; its fields declare their own schema.
        schema_hook=lambda _: {},
    )
    components.update(structs)
    return {"schema": schema}


def _operation(endpoint: Endpoint, schemas: Json) -> Json:
    summary, _, description = inspect.cleandoc(endpoint.handler.__doc__ or "").partition("\n\n")
    operation: Json = {"operationId": endpoint.handler.__name__, "summary": summary.rstrip(".")}
    if description:
        operation["description"] = description
    if parameters := list(_parameters(endpoint)):
        operation["parameters"] = parameters
    if endpoint.body is not None:
        body = _content(endpoint.body, schemas)
        content = {"application/json": body | _example(schemas[endpoint.body.__name__])}
        # A body without a field that must be there may itself be missing.
        required = any(field.required for field in msgspec.structs.fields(endpoint.body))
        operation["requestBody"] = {"required": required, "content": content}
    # An empty list states explicitly that no token is needed.
    operation["security"] = [] if endpoint.caller is None else [{"bearer": []}]
    responses = {**_successes(endpoint, schemas), **_problems(endpoint, schemas)}
    operation["responses"] = dict(sorted(responses.items()))
    return operation


def _example(struct: Json) -> Json:
    """Return the example of a body: what it must have, if each of these fields has an example.

    Otherwise Swagger UI would send every field, and `new_password` changes the password at a login.
    """
    fields = {name: struct["properties"][name] for name in struct.get("required", [])}
    if not fields or not all("examples" in field for field in fields.values()):
        return {}
    return {"example": {name: field["examples"][0] for name, field in fields.items()}}


def _parameters(endpoint: Endpoint) -> Iterable[Json]:
    for name in endpoint.ids:
        yield {"name": name, "in": "path", "required": True, "schema": msgspec.json.schema(Id)}
    if endpoint.query is not None:
        for field in msgspec.structs.fields(endpoint.query):
            yield _query_parameter(field.encode_name, field.type, field.default)
    headers = {header.name: header.schema for header in endpoint.request_headers.values()}
    if endpoint.etag:
        headers["If-None-Match"] = {"type": "string"}
    for name, schema in headers.items():
        yield {"name": name, "in": "header", "required": False, "schema": schema}


def _query_parameter(name: str, wanted: Any, default: Any) -> Json:
    if default is None:
        # A parameter can be omitted, but it cannot be null.
        wanted = next(part for part in typing.get_args(wanted) if part is not type(None))
    schema = msgspec.json.schema(wanted)
    description = schema.pop("description")
    if default:
        schema["default"] = default
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": schema,
    }


def _successes(endpoint: Endpoint, schemas: Json) -> dict[str, Json]:
    headers, content = dict(endpoint.headers), endpoint.returns
    if typing.get_origin(content) is WithHeaders:
        (content,) = typing.get_args(content)
    if typing.get_origin(content) is Page:
        headers["Link"] = _LINK
        content = list[typing.get_args(content)[0]]  # type: ignore[misc]
    if endpoint.etag:
        headers["ETag"] = "Identifies this version of the response."
    success: Json = {
        "description": HTTPStatus(endpoint.status).phrase,
        "headers": _headers(headers),
    }
    successes = {str(endpoint.status): success}
    if endpoint.etag:
        successes["304"] = {**success, "description": "Not Modified"}
    if content is not type(None):
        success["content"] = {"application/json": _content(content, schemas)}
    return successes


def _problems(endpoint: Endpoint, schemas: Json) -> dict[str, Json]:
    possible: set[type[Problem]] = {problems.Unavailable, *endpoint.problems}
    if endpoint.query is not None or endpoint.body is not None:
        possible |= {problems.BadInput}
    if endpoint.body is not None:
        possible |= {
            problems.RequestTimeout,
            problems.BodyTooLarge,
            problems.UnsupportedMediaType,
        }
    if endpoint.caller is not None:
        possible |= {problems.Unauthorized}
    if endpoint.caller is Admin:
        possible |= {problems.Forbidden}
    return {str(problem.status): _problem_response(problem, schemas) for problem in possible}


def _problem_response(problem: type[Problem], schemas: Json) -> Json:
    return {
        "description": problem.title,
        "headers": _headers(_PROBLEM_HEADERS.get(problem.status, {})),
        "content": {problems.MEDIA_TYPE: _content(ProblemDetails, schemas)},
    }


def _headers(described: Mapping[str, str]) -> Json:
    headers = {"X-Request-ID": "The id of this request.", **described}
    return {
        name: {"description": text, "schema": {"type": "string"}} for name, text in headers.items()
    }
