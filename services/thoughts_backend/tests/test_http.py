"""Paths, methods, HEAD, OPTIONS and the form of errors."""

import pytest

from services.thoughts_backend.tests.conftest import MakeBackend
from testkit.http_client import Answer, HttpClient
from testkit.thoughts_sql import Sql

ALLOWED = {
    "/api/thoughts": "GET, HEAD, OPTIONS",
    "/api/thoughts/1": "GET, HEAD, OPTIONS",
    "/api/me/thoughts": "DELETE, GET, HEAD, OPTIONS, POST",
    "/api/me/thoughts/1": "DELETE, OPTIONS",
    "/admin/thoughts/1": "DELETE, OPTIONS",
    "/admin/audit": "GET, HEAD, OPTIONS",
    "/healthz": "GET, HEAD, OPTIONS",
    "/readyz": "GET, HEAD, OPTIONS",
    "/metrics": "GET, HEAD, OPTIONS",
    "/schema/openapi.json": "GET, HEAD, OPTIONS",
    "/schema/swagger": "GET, HEAD, OPTIONS",
}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "QUERY")
WRONG = [
    (method, path)
    for path, allowed in ALLOWED.items()
    for method in METHODS
    if method not in allowed.split(", ")
]


def assert_is_problem(answer: Answer, status: int, title: str) -> None:
    """Check the body of an error, RFC 9457."""
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == "about:blank"
    assert (problem["title"], problem["status"]) == (title, status)
    assert problem["detail"]
    assert problem["request_id"] == answer.headers["X-Request-ID"]


@pytest.mark.parametrize(("method", "path"), WRONG)
def test_wrong_method_says_which_are_right(
    http: HttpClient, admin: str, method: str, path: str
) -> None:
    """An unsupported method gets 405, and Allow lists the supported ones."""
    answer = http.request(method, path, token=admin)

    assert (answer.status, answer.headers["Allow"]) == (405, ALLOWED[path])


@pytest.mark.parametrize("path", ALLOWED)
@pytest.mark.parametrize("slash", ["", "/"])
def test_options_says_which_methods_there_are(http: HttpClient, path: str, slash: str) -> None:
    """OPTIONS returns 204 with Allow, without credentials."""
    answer = http.request("OPTIONS", path + slash)

    assert (answer.status, answer.headers["Allow"], answer.body) == (204, ALLOWED[path], b"")


@pytest.mark.parametrize("path", [path for path, methods in ALLOWED.items() if "GET" in methods])
@pytest.mark.parametrize("slash", ["", "/"])
def test_final_slash_makes_no_difference(
    http: HttpClient, sql: Sql, admin: str, path: str, slash: str
) -> None:
    """Every path works with and without its trailing slash, without a redirect."""
    sql.add_thoughts("one")

    assert http.get(path + slash, token=admin).status == 200


@pytest.mark.parametrize("slash", ["", "/"])
def test_final_slash_makes_no_difference_to_changes(
    http: HttpClient, bruce: str, admin: str, slash: str
) -> None:
    """Sharing and deleting work with and without the trailing slash."""
    shared = http.post(f"/api/me/thoughts{slash}", token=bruce, json={"text": "a"})
    deleted = http.delete(f"/api/me/thoughts/{shared.json()['id']}{slash}", token=bruce)
    admin_deleted = http.delete(f"/admin/thoughts/1{slash}", token=admin)

    assert [shared.status, deleted.status, admin_deleted.status] == [201, 204, 204]


# The audit log is another after each reading, which it records.
@pytest.mark.parametrize(
    "path",
    [path for path, methods in ALLOWED.items() if "GET" in methods and path != "/admin/audit"],
)
def test_head_is_get_without_a_body(http: HttpClient, sql: Sql, admin: str, path: str) -> None:
    """HEAD has the status and headers of GET and no body."""
    sql.add_thoughts("one")
    get = http.get(path, token=admin)

    head = http.request("HEAD", path, token=admin)

    names = ("Content-Type", "Link", "ETag", "Content-Security-Policy")
    assert (head.status, head.body) == (200, b"")
    assert [head.headers[name] for name in names] == [get.headers[name] for name in names]
    assert path == "/metrics" or head.headers["Content-Length"] == str(len(get.body))


def test_head_of_the_audit_log_has_no_body(http: HttpClient, admin: str) -> None:
    """HEAD of the audit log is a reading of it, and is recorded."""
    head = http.request("HEAD", "/admin/audit", token=admin)

    assert (head.status, head.body) == (200, b"")
    assert len(http.get("/admin/audit", token=admin).json()) == 1


def test_head_of_what_is_missing_has_no_body(http: HttpClient) -> None:
    """HEAD gets 404 as GET does, without the problem."""
    answer = http.request("HEAD", "/api/thoughts/4711/")

    assert (answer.status, answer.body) == (404, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api",
        "/api/",
        "/api/thoughts/1/2",
        "/API/thoughts",
        "/api/thoughts/%00",
        "/api/thoughts/%ff",
        "/api/thoughts/%2e%2e",
        "/api/thoughts/../../etc/passwd",
        "/.env",
        "/schema",
        "/schema/assets/../../swagger.py",
        "/schema/assets/%2e%2e%2fswagger.py",
        "/docs",
        "/" + "a" * 4000,
    ],
)
def test_unknown_path_is_not_found(http: HttpClient, path: str) -> None:
    """An unknown path gets 404 as a problem."""
    assert_is_problem(http.get(path), 404, "Not Found")


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "title"),
    [
        ("GET", "/api/thoughts/?limit=0", {}, 400, "Bad Request"),
        ("GET", "/api/me/thoughts/", {}, 401, "Unauthorized"),
        ("GET", "/api/thoughts/4711/", {}, 404, "Not Found"),
        ("PUT", "/api/thoughts/", {}, 405, "Method Not Allowed"),
    ],
)
def test_error_is_a_problem(
    http: HttpClient, method: str, path: str, options: dict[str, object], status: int, title: str
) -> None:
    """Errors of any request are problem details with the request's id."""
    assert_is_problem(http.request(method, path, **options), status, title)  # type: ignore[arg-type]


def test_forbidden_is_a_problem(http: HttpClient, bruce: str) -> None:
    """403 is sent as a problem."""
    answer = http.delete("/admin/thoughts/1/", token=bruce)

    assert_is_problem(answer, 403, "Forbidden")


@pytest.mark.parametrize(
    ("body", "content_type", "status", "title"),
    [
        (b"{}", "application/json", 400, "Bad Request"),
        (b"a" * 100_000, "application/json", 413, "Content Too Large"),
        (b"a", "text/plain", 415, "Unsupported Media Type"),
    ],
)
def test_refused_body_is_a_problem(
    http: HttpClient, bruce: str, body: bytes, content_type: str, status: int, title: str
) -> None:
    """400, 413 and 415 for a body are sent as problems."""
    headers = {"Content-Type": content_type}

    answer = http.post("/api/me/thoughts/", token=bruce, body=body, headers=headers)

    assert_is_problem(answer, status, title)


def test_problem_names_each_field(http: HttpClient, bruce: str) -> None:
    """Bad input names the invalid field in `errors`, with the same text in `detail`."""
    answer = http.post("/api/me/thoughts/", token=bruce, json={})

    assert answer.json()["errors"] == [{"field": "text", "detail": "is required"}]
    assert answer.json()["detail"] == "text: is required"


def test_problem_without_fields_has_no_errors(http: HttpClient) -> None:
    """`errors` is present only for bad input."""
    assert "errors" not in http.get("/api/thoughts/4711/").json()


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GARBAGE\r\n\r\n",
        b"GET /api/thoughts/ HTTP/9.9\r\n\r\n",
        b"GET /caf\xc3\xa9/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nBad Header: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: b\x00c\r\n\r\n",
        b"GET http://[broken/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET ?a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: \xff\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a/b@c\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n\r\n",
        b"GET /?" + b"%" * 3000 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ],
    ids=lambda request_bytes: repr(request_bytes[:30]),
)
def test_strange_request_is_refused(http: HttpClient, request_bytes: bytes) -> None:
    """Malformed HTTP gets a client error, never 5xx."""
    with http.connection() as connection:
        connection.sendall(request_bytes)
        answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 4")


def test_long_uri_is_taken(http: HttpClient) -> None:
    """An address of 8 KB is accepted."""
    assert http.get("/api/thoughts/", query={"unknown": "a" * 8000}).status == 200


def test_answers_do_not_tell_the_server(http: HttpClient) -> None:
    """No response reveals the server software."""
    assert "Server" not in http.get("/api/thoughts/").headers


@pytest.mark.parametrize(
    "path", ["/api/thoughts/", "/nothing", "/healthz", "/metrics", "/schema/swagger", "/%zz"]
)
def test_every_answer_tells_browsers_to_be_strict(http: HttpClient, path: str) -> None:
    """No response is taken for another type than it says, or embedded by another site."""
    headers = http.get(path).headers

    assert headers.get_all("X-Content-Type-Options") == ["nosniff"]
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Strict-Transport-Security" not in headers


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/me/thoughts/"),
        ("GET", "/api/thoughts/"),
        ("GET", "/nothing"),
        ("POST", "/api/me/thoughts/"),
        ("DELETE", "/api/me/thoughts/1"),
        ("DELETE", "/admin/thoughts/1"),
    ],
)
def test_answer_to_a_request_with_a_token_is_not_stored(
    http: HttpClient, bruce: str, method: str, path: str
) -> None:
    """A response to a request with a token is kept in no cache, whatever its status."""
    assert http.request(method, path, token=bruce).headers["Cache-Control"] == "no-store"


def test_behind_tls_browsers_are_told_to_use_only_https(make_backend: MakeBackend) -> None:
    """Behind TLS every response has Strict-Transport-Security, with what the settings say."""
    backend = make_backend(BEHIND_TLS="true", HSTS_INCLUDE_SUBDOMAINS="true")
    backend.start()

    header = backend.http.get("/nothing").headers["Strict-Transport-Security"]

    assert header == "max-age=31536000; includeSubDomains"
