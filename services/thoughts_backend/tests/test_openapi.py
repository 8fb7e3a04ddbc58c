"""The OpenAPI document and its Swagger page."""

import pytest

from testkit import openapi_checks
from testkit.http_client import HttpClient
from testkit.thoughts_sql import Sql
from thoughts_backend.app import OPENAPI
from tooling.project import ROOT

SERVICE_FOLDER = ROOT / "services/thoughts_backend"
LISTS = ("/api/thoughts", "/api/me/thoughts")
ONE = "/api/thoughts/{thought_id}"


def test_served_document_is_committed(http: HttpClient) -> None:
    """openapi.json in the service's folder matches what the service serves."""
    openapi_checks.assert_served_document_is_committed(http, SERVICE_FOLDER)


def test_document_is_valid() -> None:
    """The document conforms to OpenAPI 3.1."""
    openapi_checks.assert_document_is_valid(OPENAPI)


def test_every_operation_is_described() -> None:
    """Each operation documents its purpose, its errors, and the headers of its responses."""
    openapi_checks.assert_every_operation_is_described(OPENAPI)


def test_every_endpoint_is_documented() -> None:
    """The document has the endpoints of the contract, and no other."""
    assert {(method, path) for method, path, _ in openapi_checks.operations(OPENAPI)} == {
        ("GET", "/api/thoughts"),
        ("GET", ONE),
        ("GET", "/api/me/thoughts"),
        ("POST", "/api/me/thoughts"),
        ("DELETE", "/api/me/thoughts/{thought_id}"),
        ("DELETE", "/api/me/thoughts"),
        ("DELETE", "/admin/thoughts/{thought_id}"),
        ("GET", "/admin/audit"),
    }


def test_bearer_scheme_is_documented() -> None:
    """Guarded operations require the bearer scheme, public ones nothing."""
    openapi_checks.assert_only_these_are_public(OPENAPI, {"/api/thoughts", ONE})


@pytest.mark.parametrize("path", LISTS)
def test_list_documents_its_parameters(path: str) -> None:
    """Lists document their filters, cursors and bounds, and the Link header."""
    operation = OPENAPI["paths"][path]["get"]

    parameters = {parameter["name"]: parameter["schema"] for parameter in operation["parameters"]}
    assert parameters["limit"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 100,
        "default": 20,
    }
    assert set(parameters) - {"username"} == {"limit", "max_id", "since_id", "min_id", "search"}
    assert "Link" in operation["responses"]["200"]["headers"]


def test_share_declares_json() -> None:
    """Sharing declares a required body as JSON only, for client generators."""
    body = OPENAPI["paths"]["/api/me/thoughts"]["post"]["requestBody"]

    assert body["required"]
    assert set(body["content"]) == {"application/json"}


def test_swagger_page_needs_no_other_host(http: HttpClient) -> None:
    """The Swagger page and all it loads come from the service itself."""
    openapi_checks.assert_swagger_needs_no_other_host(http)


def test_successes_are_documented(http: HttpClient, sql: Sql, bruce: str) -> None:
    """Statuses, types and headers of successful responses match the document."""
    sql.add_thoughts("one")
    etag = http.get("/api/thoughts/1").headers["ETag"]
    new = {"token": bruce, "json": {"text": "two"}}
    answers = [
        ("GET", "/api/thoughts", http.get("/api/thoughts")),
        ("GET", ONE, http.get("/api/thoughts/1")),
        ("GET", ONE, http.get("/api/thoughts/1", headers={"If-None-Match": etag})),
        ("GET", "/api/me/thoughts", http.get("/api/me/thoughts", token=bruce)),
        ("POST", "/api/me/thoughts", http.post("/api/me/thoughts", **new)),
        (
            "DELETE",
            "/api/me/thoughts/{thought_id}",
            http.delete("/api/me/thoughts/1", token=bruce),
        ),
    ]

    assert [answer.status for _, _, answer in answers] == [200, 200, 304, 200, 201, 204]
    for method, path, answer in answers:
        openapi_checks.assert_documented(OPENAPI, method, path, answer)


def test_refusals_are_documented(http: HttpClient, bruce: str) -> None:
    """Statuses, types and headers of errors match the document."""
    share = "/api/me/thoughts"
    admin = "/admin/thoughts/{thought_id}"
    text = {"Content-Type": "text/plain"}
    large = {"body": b"a" * 100_000, "headers": {"Content-Type": "application/json"}}
    answers = [
        ("GET", "/api/thoughts", http.get("/api/thoughts?limit=0")),
        ("GET", ONE, http.get("/api/thoughts/4711")),
        ("GET", share, http.get(share)),
        ("POST", share, http.post(share, token=bruce, json={})),
        ("POST", share, http.post(share, token=bruce, body=b"a", headers=text)),
        ("POST", share, http.post(share, token=bruce, **large)),
        ("DELETE", admin, http.delete("/admin/thoughts/1", token=bruce)),
    ]

    assert [answer.status for _, _, answer in answers] == [400, 404, 401, 400, 415, 413, 403]
    for method, path, answer in answers:
        openapi_checks.assert_documented(OPENAPI, method, path, answer)
