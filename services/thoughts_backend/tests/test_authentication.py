"""Bearer tokens: which are accepted, and what is checked before the body is read."""

import time
from collections.abc import Callable

import pytest

from testkit.bad_tokens import BAD_TOKENS
from testkit.http_client import HttpClient
from testkit.thoughts_sql import Sql
from testkit.token_maker import TokenMaker

pytestmark = pytest.mark.security

PATH = "/api/me/thoughts/"
GUARDED = [
    ("GET", "/api/me/thoughts/"),
    ("HEAD", "/api/me/thoughts/"),
    ("POST", "/api/me/thoughts/"),
    ("DELETE", "/api/me/thoughts/1/"),
    ("DELETE", "/admin/thoughts/1/"),
]


def test_good_token_is_believed(http: HttpClient, bruce: str) -> None:
    """A token signed with a known key is accepted."""
    assert http.get(PATH, token=bruce).status == 200


@pytest.mark.parametrize("make_token", BAD_TOKENS.values(), ids=BAD_TOKENS)
def test_bad_token_is_refused(
    http: HttpClient, token_maker: TokenMaker, make_token: Callable[[TokenMaker], str]
) -> None:
    """A token that is damaged, foreign or expired gets 401 with a challenge."""
    answer = http.get(PATH, token=make_token(token_maker))

    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_nobody_is_refused(http: HttpClient, method: str, path: str) -> None:
    """Without credentials every guarded path returns 401 with a bare challenge (RFC 6750)."""
    answer = http.request(method, path)

    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("scheme", ["Basic", "Token", "", "Bearerx", "JWT"])
def test_other_schemes_are_refused(http: HttpClient, bruce: str, scheme: str) -> None:
    """Only bearer tokens are credentials."""
    assert http.get(PATH, headers={"Authorization": f"{scheme} {bruce}"}).status == 401


@pytest.mark.parametrize("form", ["bearer {}", "BEARER {}", "Bearer   {}  "])
def test_scheme_is_read_without_regard_to_case(http: HttpClient, bruce: str, form: str) -> None:
    """The scheme's case and the spaces after it do not matter (RFC 9110, section 11.1)."""
    assert http.get(PATH, headers={"Authorization": form.format(bruce)}).status == 200


@pytest.mark.parametrize(
    "form", ["Bearer Bearer {}", "bearer BEARER {}", "BEARER bearer {}", "Bearer   Bearer   {}  "]
)
def test_scheme_may_come_twice(http: HttpClient, bruce: str, form: str) -> None:
    """A whole login response after the scheme is accepted."""
    assert http.get(PATH, headers={"Authorization": form.format(bruce)}).status == 200


@pytest.mark.parametrize(
    "form",
    [
        "Bearer Bearer Bearer {}",
        "Bearer Bearer",
        "Bearer Bearer{}",
        "Bearer, Bearer {}",
        "Bearer\tBearer {}",
        "Bearer: Bearer {}",
        "Bearer Basic {}",
        "Basic Bearer {}",
        "Bearer Bearer {0} {0}",
        "Bearer {0} Bearer {0}",
        "Bearer Bearer {0}, Bearer {0}",
    ],
)
def test_only_the_scheme_may_come_twice(http: HttpClient, bruce: str, form: str) -> None:
    """Anything else next to a valid token invalidates the credentials."""
    assert http.get(PATH, headers={"Authorization": form.format(bruce)}).status == 401


def test_scheme_of_another_header_is_not_the_tokens(http: HttpClient, bruce: str) -> None:
    """A scheme and a token in two headers are not credentials."""
    request = (
        f"GET {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer\r\n"
        f"Authorization: Bearer {bruce}\r\n\r\n"
    )

    with http.connection() as connection:
        connection.sendall(request.encode())
        answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 401 ")


def test_two_authorization_headers_are_refused(http: HttpClient, bruce: str, stephen: str) -> None:
    """A request with two Authorization headers gets 401; the service does not choose one."""
    request = (
        f"GET {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {bruce}\r\n"
        f"Authorization: Bearer {stephen}\r\n\r\n"
    )

    with http.connection() as connection:
        connection.sendall(request.encode())
        answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 401 ")


def test_token_is_taken_until_clocks_cannot_differ(
    http: HttpClient, token_maker: TokenMaker
) -> None:
    """A token that expired this moment is still accepted, as clocks differ."""
    token = token_maker.token("bruce", exp=int(time.time()) - 1)

    assert http.get(PATH, token=token).status == 200


@pytest.mark.parametrize("scope", ["", "admins", "ADMIN", "user admin"])
def test_other_scopes_make_no_admin(http: HttpClient, token_maker: TokenMaker, scope: str) -> None:
    """Only the scope `admin` identifies an admin."""
    token = token_maker.token("bruce", scope=scope)

    assert http.delete("/admin/thoughts/1/", token=token).status == 403


def test_username_of_the_token_is_the_authors(http: HttpClient, token_maker: TokenMaker) -> None:
    """A thought has the name from the token, in any script."""
    token = token_maker.token("李小龙 👊", user_id=8)

    answer = http.post(PATH, token=token, json={"text": "a"})

    assert answer.json()["username"] == "李小龙 👊"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{", "application/json"),
        (b"a", "text/plain"),
        (b"[" * 1_000_000, "application/json"),
    ],
)
def test_credentials_are_asked_for_before_the_body(
    http: HttpClient, body: bytes, content_type: str
) -> None:
    """Without a token the status is 401, whatever is wrong with the body."""
    assert http.post(PATH, body=body, headers={"Content-Type": content_type}).status == 401


def test_credentials_are_asked_for_before_parameters(http: HttpClient) -> None:
    """Without a token the status is 401, whatever is wrong with the query."""
    assert http.get(PATH, query={"limit": "x"}).status == 401


def test_being_an_admin_is_asked_for_before_the_id(http: HttpClient, bruce: str) -> None:
    """A user who is not an admin gets 403, even for an impossible id."""
    assert http.delete("/admin/thoughts/abc/", token=bruce).status == 403


@pytest.mark.parametrize("path", ["/api/thoughts/", "/api/thoughts/1/"])
def test_public_lists_do_not_look_at_tokens(http: HttpClient, sql: Sql, path: str) -> None:
    """Public resources can be read with an expired token, too."""
    sql.add_thoughts("one")

    assert http.get(path, token="expired").status == 200
