"""The OpenAPI 3.1 document of an API, generated from its handlers.

The handler itself supplies path, method, texts (docstring), success status, response (return
type) and security (guards). `documented` adds what its signature does not show:

    @get("/api/thoughts", opt=documented(query=ThoughtsQuery, headers={"Link": "…"}))
"""

import inspect
import json
import re
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import msgspec
from litestar.handlers import HTTPRouteHandler

from mythoughts_chassis import problems
from mythoughts_chassis.authentication import requires_admin, requires_user
from mythoughts_chassis.inputs import BODY_TYPES, Id
from mythoughts_chassis.problems import Problem, ProblemDetails

Json = dict[str, Any]

_PATH_PARAMETER = re.compile(r"{(\w+):str}")
_PROBLEM_HEADERS = {
    401: {"WWW-Authenticate": "The challenge, `Bearer`."},
    503: {"Retry-After": "Seconds to wait before trying again."},
}
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


@dataclass(frozen=True, kw_only=True)
class Documentation:
    """The parts of an endpoint's documentation that its handler's signature does not show."""

    query: type[msgspec.Struct] | None = None
    body: type[msgspec.Struct] | None = None
    problems: tuple[type[Problem], ...] = ()
    request_headers: Mapping[str, Json] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    not_modified: bool = False


def documented(**documentation: Any) -> dict[str, Documentation]:
    """Return the `opt` of a handler, with the fields of `Documentation`."""
    return {"documentation": Documentation(**documentation)}


def document(
    handlers: Iterable[HTTPRouteHandler],
    *,
    title: str,
    version: str,
    description: str,
    tags: Mapping[str, Json] = MappingProxyType({}),
) -> Json:
    """Return the OpenAPI document of the handlers that are `documented`.

    `tags` maps a path prefix to the tag of the operations below it.
    """
    schemas = _Schemas()
    paths: dict[str, Json] = {}
    for handler in handlers:
        if "documentation" in handler.opt:
            path = _PATH_PARAMETER.sub(r"{\1}", next(iter(handler.paths)))
            (method,) = handler.http_methods
            operation = _operation(handler, schemas)
            operation["tags"] = [tags[start]["name"] for start in tags if path.startswith(start)]
            paths.setdefault(path, {})[method.lower()] = operation
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
            "schemas": schemas.components(),
            "securitySchemes": {"bearer": _BEARER},
        },
    }


def committed_form(openapi: Json) -> bytes:
    """Return the document in the form in which it is committed."""
    # In ASCII: patterns contain invisible characters.
    return json.dumps(openapi, indent=2).encode() + b"\n"


class _Schemas:
    """Collects the types referenced by a document."""

    def __init__(self) -> None:
        self._types: list[Any] = []

    def of(self, wanted: Any) -> Json:
        """Return the schema of a type, its Structs by reference."""
        self._types.append(wanted)
        (schema,), _ = _schema_components([wanted])
        return schema

    def components(self) -> Json:
        """Return the referenced schemas by name."""
        return _schema_components(self._types)[1]


# `Secret` is the only type unknown to msgspec; its fields declare their own schema.
_schema_components = partial(
    msgspec.json.schema_components,
    ref_template="#/components/schemas/{name}",
    schema_hook=lambda _: {},
)


def _operation(handler: HTTPRouteHandler, schemas: _Schemas) -> Json:
    documentation: Documentation = handler.opt["documentation"]
    summary, _, description = inspect.cleandoc(handler.fn.__doc__ or "").partition("\n\n")
    operation: Json = {"operationId": handler.fn.__name__, "summary": summary.rstrip(".")}
    if description:
        operation["description"] = description
    if parameters := list(_parameters(handler, documentation)):
        operation["parameters"] = parameters
    if documentation.body is not None:
        schema = schemas.of(documentation.body)
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    # An empty list states explicitly that no token is needed.
    operation["security"] = [{"bearer": []}] if _needs_token(handler) else []
    operation["responses"] = _responses(handler, documentation, schemas)
    return operation


def _parameters(handler: HTTPRouteHandler, documentation: Documentation) -> Iterable[Json]:
    for name in _PATH_PARAMETER.findall(next(iter(handler.paths))):
        schema = msgspec.json.schema(Id)
        yield {"name": name, "in": "path", "required": True, "schema": schema}
    if documentation.query is not None:
        for parameter in msgspec.structs.fields(documentation.query):
            yield _query_parameter(parameter.encode_name, parameter.type, parameter.default)
    for name, schema in documentation.request_headers.items():
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


def _responses(
    handler: HTTPRouteHandler, documentation: Documentation, schemas: _Schemas
) -> dict[str, Json]:
    success: Json = {
        "description": HTTPStatus(handler.status_code).phrase,
        "headers": _headers(documentation.headers),
    }
    answer = _answer_type(handler)
    if answer is not type(None):
        success["content"] = {"application/json": {"schema": schemas.of(answer)}}
    responses = {str(handler.status_code): success}
    if documentation.not_modified:
        responses["304"] = {**success, "description": "Not Modified"}
        responses["304"].pop("content")
    for problem in _possible_problems(handler, documentation):
        responses[str(problem.status)] = _problem_response(problem, schemas)
    return dict(sorted(responses.items()))


def _answer_type(handler: HTTPRouteHandler) -> Any:
    returned = typing.get_type_hints(handler.fn, include_extras=True)["return"]
    arguments = typing.get_args(returned)
    is_response = typing.get_origin(returned) is not None and arguments
    return arguments[0] if is_response and typing.get_origin(returned) is not list else returned


def _possible_problems(
    handler: HTTPRouteHandler, documentation: Documentation
) -> set[type[Problem]]:
    possible: set[type[Problem]] = {problems.Unavailable, *documentation.problems}
    if documentation.query is not None:
        possible |= {problems.BadInput}
    if documentation.body is not None:
        possible |= {
            problems.BadInput,
            problems.RequestTimeout,
            problems.BodyTooLarge,
            problems.UnsupportedMediaType,
        }
    if _needs_token(handler):
        possible |= {problems.Unauthorized}
    if requires_admin in (handler.guards or ()):
        possible |= {problems.Forbidden}
    return possible


def _problem_response(problem: type[Problem], schemas: _Schemas) -> Json:
    return {
        "description": problem.title,
        "headers": _headers(_PROBLEM_HEADERS.get(problem.status, {})),
        "content": {problems.MEDIA_TYPE: {"schema": schemas.of(ProblemDetails)}},
    }


def _headers(described: Mapping[str, str]) -> Json:
    headers = {"X-Request-ID": "The id of this request.", **described}
    return {
        name: {"description": text, "schema": {"type": "string"}} for name, text in headers.items()
    }


def _needs_token(handler: HTTPRouteHandler) -> bool:
    return bool({requires_user, requires_admin} & set(handler.guards or ()))
