"""The OpenAPI document and its Swagger page."""

import pytest

from testkit import openapi_checks
from testkit.command import run_command
from testkit.http_client import HttpClient
from testkit.users_sql import PASSWORD, Sql
from tooling.project import ROOT
from users_backend.app import OPENAPI

SERVICE_FOLDER = ROOT / "services/users_backend"
PUBLIC = {
    "/api/login",
    "/api/users",
    "/.well-known/jwks.json",
    "/.well-known/ended-sessions",
}
BRUCE = {"username": "bruce", "password": PASSWORD}
ZOE = {"username": "zoë", "password": PASSWORD}
CHANGE = {"password": PASSWORD, "new_password": "be water, my friend"}
CHANGED = "/admin/users/{user_id}"


def test_served_document_is_committed(http: HttpClient) -> None:
    """openapi.json in the service's folder matches what the service serves."""
    openapi_checks.assert_served_document_is_committed(http, SERVICE_FOLDER)


def test_committed_document_is_what_the_command_prints() -> None:
    """`make openapi` would change nothing."""
    done = run_command({}, "openapi")

    assert done.stdout == (SERVICE_FOLDER / "openapi.json").read_text(encoding="utf-8")


def test_document_is_valid() -> None:
    """The document conforms to OpenAPI 3.1."""
    openapi_checks.assert_document_is_valid(OPENAPI)


def test_patterns_are_for_every_dialect() -> None:
    """No pattern uses syntax that JavaScript without `u`, RE2 or Go does not support."""
    openapi_checks.assert_patterns_are_portable(OPENAPI)


def test_every_operation_is_described() -> None:
    """Each operation documents its purpose, its errors, and the headers of its responses."""
    openapi_checks.assert_every_operation_is_described(OPENAPI)


def test_every_endpoint_is_documented() -> None:
    """The document has the endpoints of the contract, and no other."""
    assert {(method, path) for method, path, _ in openapi_checks.operations(OPENAPI)} == {
        ("POST", "/api/login"),
        ("POST", "/api/logout"),
        ("GET", "/api/me"),
        ("POST", "/api/me/token"),
        ("GET", "/api/me/sessions"),
        ("DELETE", "/api/me/sessions"),
        ("DELETE", "/api/me/sessions/{session_id}"),
        ("POST", "/api/me/password"),
        ("DELETE", "/api/me"),
        ("POST", "/api/users"),
        ("GET", "/admin/users"),
        ("POST", "/admin/users"),
        ("GET", CHANGED),
        ("PATCH", CHANGED),
        ("DELETE", CHANGED),
        ("DELETE", f"{CHANGED}/sessions"),
        ("GET", "/admin/audit"),
        ("GET", "/.well-known/jwks.json"),
        ("GET", "/.well-known/ended-sessions"),
    }


def test_bearer_scheme_is_documented() -> None:
    """Guarded operations require the bearer scheme, public ones nothing."""
    openapi_checks.assert_only_these_are_public(OPENAPI, PUBLIC)


@pytest.mark.parametrize("path", ["/api/login", "/api/me/password", "/admin/users"])
def test_bodies_are_declared_as_json(path: str) -> None:
    """Bodies are declared as required and as JSON only, for client generators."""
    body = OPENAPI["paths"][path]["post"]["requestBody"]

    assert body["required"]
    assert set(body["content"]) == {"application/json"}


def test_swagger_page_needs_no_other_host(http: HttpClient) -> None:
    """The Swagger page and all it loads come from the service itself."""
    openapi_checks.assert_swagger_needs_no_other_host(http)


@pytest.mark.usefixtures("bruce")
def test_successes_are_documented(http: HttpClient, admin: str) -> None:
    """Statuses, types and headers of successful responses match the document."""
    answers = [
        ("POST", "/api/login", http.post("/api/login", json=BRUCE)),
        ("GET", "/api/me", http.get("/api/me", token=admin)),
        ("POST", "/api/me/password", http.post("/api/me/password", token=admin, json=CHANGE)),
        ("GET", "/admin/users", http.get("/admin/users", token=admin)),
        ("POST", "/admin/users", http.post("/admin/users", token=admin, json=ZOE)),
        ("PATCH", CHANGED, http.request("PATCH", "/admin/users/1", token=admin, json={})),
        ("DELETE", f"{CHANGED}/sessions", http.delete("/admin/users/1/sessions", token=admin)),
        ("DELETE", CHANGED, http.delete("/admin/users/1", token=admin)),
        ("GET", "/admin/audit", http.get("/admin/audit", token=admin)),
        ("GET", "/.well-known/jwks.json", http.get("/.well-known/jwks.json")),
    ]

    statuses = [answer.status for *_, answer in answers]
    assert statuses == [200, 200, 204, 200, 201, 200, 204, 204, 200, 200]
    for method, path, answer in answers:
        openapi_checks.assert_documented(OPENAPI, method, path, answer)


def test_refusals_are_documented(http: HttpClient, admin: str, sql: Sql) -> None:
    """Statuses, types and headers of errors match the document."""
    sql.add_user("zoë")
    change, wrong = "/api/me/password", CHANGE | {"password": "wrong"}
    text = {"Content-Type": "text/plain"}
    answers = [
        ("POST", "/api/login", http.post("/api/login", json=BRUCE)),
        ("POST", "/api/login", http.post("/api/login", json={})),
        ("POST", "/api/login", http.post("/api/login", body=b"a", headers=text)),
        ("GET", "/api/me", http.get("/api/me")),
        ("POST", change, http.post(change, token=admin, json=wrong)),
        ("GET", "/admin/users", http.get("/admin/users?limit=0", token=admin)),
        ("POST", "/admin/users", http.post("/admin/users", token=admin, json=ZOE)),
        ("DELETE", CHANGED, http.delete("/admin/users/0", token=admin)),
        ("DELETE", CHANGED, http.delete("/admin/users/1", token=admin)),
        ("POST", "/api/users", http.post("/api/users", json=ZOE)),
        ("DELETE", "/api/me", http.delete("/api/me", token=admin, json={"password": "wrong"})),
    ]

    statuses = [answer.status for *_, answer in answers]
    assert statuses == [401, 400, 415, 401, 403, 400, 409, 404, 409, 403, 403]
    for method, path, answer in answers:
        openapi_checks.assert_documented(OPENAPI, method, path, answer)
