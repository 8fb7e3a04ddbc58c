"""docs/api.md describes the endpoints that there are, with examples that fit."""

import json
import re
from typing import Any

import jsonschema_rs
import pytest

from mythoughts_chassis.problems import Problem
from testkit.markdown import section, table_rows
from tooling.project import ROOT

API = (ROOT / "docs" / "api.md").read_text()


def openapi_of(backend: str) -> dict[str, Any]:
    """Return the committed OpenAPI document of a backend."""
    document: dict[str, Any] = json.loads(
        (ROOT / "services" / backend / "openapi.json").read_text()
    )
    return document


def endpoints() -> dict[str, dict[str, Any]]:
    """Return, for each `METHOD /path` of both backends, the schema of its success or {}."""
    found = {}
    for backend in ("thoughts_backend", "users_backend"):
        document = openapi_of(backend)
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                success = next(iter(operation["responses"].values()))
                content = success.get("content", {}).get("application/json", {})
                schema = {**content.get("schema", {}), "components": document["components"]}
                found[f"{method.upper()} {path}"] = schema if content else {}
    return found


def test_endpoints_stand_in_the_document() -> None:
    """docs/api.md has a section for each endpoint of both backends, and for no other."""
    documented = set(re.findall(r"^### ([A-Z]+ /.*)$", API, re.MULTILINE))

    assert documented == set(endpoints())


@pytest.mark.parametrize("endpoint", endpoints())
def test_examples_are_what_the_endpoint_answers(endpoint: str) -> None:
    """The example of an answer in docs/api.md has the shape that the OpenAPI document promises."""
    schema = endpoints()[endpoint]
    examples = re.findall(r"```json\n(.*?)```", section(API, f"### {endpoint}"), re.DOTALL)

    assert len(examples) == (1 if schema else 0)
    for example in examples:
        jsonschema_rs.validate(schema, json.loads(example))


@pytest.mark.parametrize("endpoint", endpoints())
def test_examples_of_requests_ask_the_endpoint(endpoint: str) -> None:
    """The example of a request in docs/api.md goes to the address that its section is about."""
    method, _, path = endpoint.partition(" ")
    (command,) = re.findall(r"```sh\n(.*?)```", section(API, f"### {endpoint}"), re.DOTALL)

    address = re.search(r"http://localhost:\d+(/[^?' \n]*)", command)

    assert address is not None
    pattern = re.sub(r"{\w+}", "[0-9]+", path)
    assert re.fullmatch(rf"{pattern}/?", address[1])
    assert ("-X DELETE" in command) == (method == "DELETE")


def test_statuses_of_errors_stand_in_the_document() -> None:
    """docs/api.md's table of errors has every status that a problem has."""
    statuses = {str(problem.status) for problem in Problem.__subclasses__()}

    documented = {row[0] for row in table_rows(section(API, "### Errors"))}

    assert documented - {"status"} == statuses
