"""Checks of a backend's OpenAPI document, for the tests of each backend."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from openapi_spec_validator import validate

from mythoughts_chassis.browser_headers import EVERY_RESPONSE
from testkit.http_client import Answer, HttpClient

Json = dict[str, Any]


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    """Method, path and description of each operation."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def assert_only_these_are_public(document: Json, public: set[str]) -> None:
    """Check that operations require a token, and that those with these paths explicitly do not."""
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    for method, path, operation in operations(document):
        expected: list[Json] = [] if path in public else [{"bearer": []}]
        assert operation["security"] == expected, f"{method} {path}"


def assert_served_document_is_committed(http: HttpClient, service_folder: Path) -> None:
    """Check that openapi.json in a service's folder matches what the service serves."""
    answer = http.get("/schema/openapi.json")

    assert answer.headers["Content-Type"] == "application/json"
    committed = json.loads((service_folder / "openapi.json").read_bytes())
    assert answer.json() == committed, "run `make openapi` and commit the result"


def assert_document_is_valid(document: Json) -> None:
    """Check a document against the OpenAPI 3.1 specification."""
    assert document["openapi"].startswith("3.1.")
    validate(document)


def assert_patterns_are_portable(document: Json) -> None:
    r"""Check that patterns are ASCII, without lookaround and escapes such as \u and \p."""
    patterns = set(re.findall(r'"pattern": ("(?:[^"\\]|\\.)*")', json.dumps(document)))

    for pattern in map(json.loads, patterns):
        assert pattern.isascii(), pattern
        assert not re.search(r"\(\?|\\[upPk]", pattern), pattern
        re.compile(pattern)


def assert_every_operation_is_described(document: Json) -> None:
    """Check that operations document their purpose, their problems and their headers."""
    for method, path, operation in operations(document):
        where = f"{method} {path}"
        assert operation["summary"], where
        assert "503" in operation["responses"], where
        assert "401" in operation["responses"] or not operation.get("security"), where
        for status, response in operation["responses"].items():
            assert "X-Request-ID" in response["headers"], f"{where} {status}"
            if int(status) >= 400:
                assert list(response["content"]) == ["application/problem+json"], where
        if "401" in operation["responses"]:
            assert "WWW-Authenticate" in operation["responses"]["401"]["headers"], where
        assert "Retry-After" in operation["responses"]["503"]["headers"], where


def assert_swagger_needs_no_other_host(http: HttpClient) -> None:
    """Check that the page and everything it loads come from the service itself."""
    page = http.get("/schema/swagger")
    text = page.body.decode()
    loaded = [part.split('"')[0] for part in text.replace('href="', 'src="').split('src="')[1:]]

    assert page.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "http" not in page.headers["Content-Security-Policy"]
    assert loaded
    for address in loaded:
        assert address.startswith(("/schema/", "data:")), address
        assert address.startswith("data:") or http.get(address).status == 200, address


def assert_documented(document: Json, method: str, path: str, answer: Answer) -> None:
    """Check that the operation documents this status, its type and its own headers.

    Headers that every response has are not documented, nor is `Cache-Control: no-store` of those
    that belong to one user.
    """
    responses = document["paths"][path][method.lower()]["responses"]
    response = responses[str(answer.status)]
    media_type = answer.headers.get_content_type() if answer.body else None
    for_browsers = {name.lower() for name, _ in EVERY_RESPONSE}
    common = {"date", "content-type", "content-length", "connection", *for_browsers}
    if answer.headers["Cache-Control"] == "no-store":
        common.add("cache-control")

    assert media_type in {None, *response.get("content", {})}
    assert {name.lower() for name in answer.headers} - common <= {
        name.lower() for name in response["headers"]
    }
