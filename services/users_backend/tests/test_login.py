"""Logging in over the API."""

import time
from typing import Any

import pytest

from mythoughts_chassis.tokens import Principal, TokenVerifier
from services.users_backend.tests.conftest import MakeBackend
from testkit.http_client import Answer, HttpClient
from testkit.service_process import ServiceProcess
from testkit.token_maker import TokenMaker
from testkit.users_sql import PASSWORD, Sql, hash_of

BRUCE = {"username": "bruce", "password": PASSWORD}
MULTIPART = (
    '--line\r\nContent-Disposition: form-data; name="username"\r\n\r\nbruce\r\n'
    f'--line\r\nContent-Disposition: form-data; name="password"\r\n\r\n{PASSWORD}\r\n'
    "--line--\r\n"
).encode()


def log_in(http: HttpClient, username: str, password: str = PASSWORD) -> Answer:
    """Log in with a JSON body."""
    return http.post("/api/login/", json={"username": username, "password": password})


def principal_of(answer: Answer, token_maker: TokenMaker) -> Principal:
    """Verify the token of a login response as any service does."""
    scheme, _, token = answer.json()["Authorized"].partition(" ")
    assert scheme == "Bearer"
    verifier = TokenVerifier(
        public_keys_path=token_maker.public_path, issuer="mythoughts", audience="mythoughts"
    )
    return verifier.verify(token)


@pytest.mark.usefixtures("bruce")
@pytest.mark.parametrize("path", ["/api/login", "/api/login/"])
@pytest.mark.parametrize(
    "body",
    [
        {"json": BRUCE},
        {"form": BRUCE},
        {"body": MULTIPART, "headers": {"Content-Type": "multipart/form-data; boundary=line"}},
    ],
    ids=["json", "form", "multipart"],
)
def test_login_answers_a_token(
    http: HttpClient, token_maker: TokenMaker, path: str, body: dict[str, Any]
) -> None:
    """Name and password, as JSON or as a form of either kind, get a token."""
    answer = http.post(path, **body)

    assert (answer.status, list(answer.json())) == (200, ["Authorized", "device_token"])
    assert principal_of(answer, token_maker).username == "bruce"


@pytest.mark.usefixtures("bruce")
def test_answer_with_a_token_is_not_stored(http: HttpClient) -> None:
    """Caches must not store a token."""
    answer = log_in(http, "bruce")

    assert answer.headers["Cache-Control"] == "no-store"


def test_token_says_who_and_how_long(http: HttpClient, token_maker: TokenMaker, sql: Sql) -> None:
    """A token contains the user's id and name and is valid for twelve hours."""
    user_id = sql.add_user("bruce")

    principal = principal_of(log_in(http, "bruce"), token_maker)

    assert (principal.user_id, principal.username) == (user_id, "bruce")
    assert not principal.is_admin
    assert abs(principal.expires_at - time.time() - 12 * 3600) < 60


@pytest.mark.usefixtures("admin")
def test_token_of_an_admin_says_so(http: HttpClient, token_maker: TokenMaker) -> None:
    """An admin's token has the admin scope."""
    principal = principal_of(log_in(http, "admin"), token_maker)

    assert principal.is_admin


@pytest.mark.usefixtures("bruce")
def test_lifetime_is_a_setting(make_backend: MakeBackend, token_maker: TokenMaker) -> None:
    """A token is valid for TOKEN_LIFETIME_SECONDS."""
    backend = make_backend(TOKEN_LIFETIME_SECONDS="600")
    backend.start()

    principal = principal_of(log_in(backend.http, "bruce"), token_maker)

    assert abs(principal.expires_at - time.time() - 600) < 60


@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        ("Bruce", "bRUCE"),
        ("Zoë", "Zoe\u0308"),
        ("ZOË", "zoe\u0308"),
        ("Straße", "STRASSE"),
        ("ΣΊΣΥΦΟΣ", "Σίσυφος"),
        ("Дмитрий", "ДМИТРИЙ"),
        ("한글", "\u1112\u1161\u11ab\u1100\u1173\u11af"),
        ("小明", "小明"),
    ],
)
def test_name_is_accepted_in_any_case_and_form(
    http: HttpClient, token_maker: TokenMaker, sql: Sql, stored: str, typed: str
) -> None:
    """A name may be typed in any case, composed or not; the token has it as created."""
    sql.add_user(stored)

    answer = log_in(http, typed)

    assert principal_of(answer, token_maker).username == stored


@pytest.mark.parametrize(
    "typed",
    ["bruce  lee", " bruce lee", "Bruce Lee ", "bruce\u3000lee", "bruce\u00a0lee", "bruce\tlee"],
)
def test_spaces_make_no_other_name(
    http: HttpClient, token_maker: TokenMaker, sql: Sql, typed: str
) -> None:
    """Surrounding, repeated or unusual spaces in a name are ignored."""
    sql.add_user("bruce lee")

    answer = log_in(http, typed)

    assert principal_of(answer, token_maker).username == "bruce lee"


@pytest.mark.parametrize("name", ["bruce lee", "bruce  lee", "bruce   lee"])
def test_existing_users_still_differ_by_spaces(
    http: HttpClient, token_maker: TokenMaker, sql: Sql, name: str
) -> None:
    """Users of earlier releases whose names differ only in spaces log in, each as themselves."""
    for stored in ("bruce lee", "bruce  lee", "bruce   lee"):
        sql.add_user(stored)

    assert principal_of(log_in(http, name), token_maker).username == name


@pytest.mark.parametrize(
    "name",
    ["👩\u200d🚀", "a☀\ufe0fb", "𝒳", "\u0301", "аdmin", "a\U00013430", "a\u0378", "O’Brien"],
    ids=ascii,
)
def test_names_of_former_releases_log_in(
    http: HttpClient, token_maker: TokenMaker, sql: Sql, name: str
) -> None:
    """A name that would now be rejected still works for its user."""
    sql.add_user(name)

    assert principal_of(log_in(http, name), token_maker).username == name


def test_long_name_is_accepted_decomposed(http: HttpClient, sql: Sql) -> None:
    """A name of 50 characters may arrive decomposed (NFD), as 150 characters."""
    sql.add_user("한" * 50)

    answer = log_in(http, "\u1112\u1161\u11ab" * 50)

    assert answer.status == 200


def test_password_is_accepted_in_either_form(http: HttpClient, sql: Sql) -> None:
    """A password with accents is the same whether composed or decomposed."""
    sql.add_user("zoë", password_hash=hash_of("pässwörter"))

    answer = log_in(http, "zoë", "pa\u0308sswo\u0308rter")

    assert answer.status == 200


def test_wrong_name_password_and_deleted_user_get_one_answer(http: HttpClient, sql: Sql) -> None:
    """Responses do not reveal whether the name or the password is wrong."""
    sql.add_user("bruce")
    sql.add_user("gone")
    sql.run("UPDATE users SET deleted_at = now(), password_hash = NULL WHERE username = 'gone'")

    answers = [
        log_in(http, "bruce", "wrong"),
        log_in(http, "nobody", "wrong"),
        log_in(http, "gone"),
        log_in(http, "gone", "wrong"),
    ]

    problems = [answer.json() for answer in answers]
    assert len({problem.pop("request_id") for problem in problems}) == 4
    assert problems == 4 * [
        {
            "type": "about:blank",
            "title": "Unauthorized",
            "status": 401,
            "detail": "The name or the password is wrong.",
        }
    ]
    assert {answer.headers["WWW-Authenticate"] for answer in answers} == {"Bearer"}


@pytest.mark.usefixtures("bruce")
@pytest.mark.parametrize(
    ("body", "faulty"),
    [
        ({}, ["username", "password"]),
        ({"username": "bruce"}, ["password"]),
        ({"username": "", "password": ""}, ["username", "password"]),
        ({"username": "x" * 201, "password": "x" * 129}, ["username", "password"]),
        ({"username": None, "password": ["x"]}, ["username", "password"]),
        ({"username": 7, "password": {}}, ["username", "password"]),
        ({"username": "bruce\0", "password": "\0"}, ["username", "password"]),
        ([], []),
        (7, []),
    ],
)
def test_what_is_no_login_is_refused(http: HttpClient, body: object, faulty: list[str]) -> None:
    """Missing or invalid fields get 400, with an entry for each field."""
    answer = http.post("/api/login", json=body)

    assert (answer.status, answer.faulty_fields) == (400, faulty)


@pytest.mark.usefixtures("bruce")
@pytest.mark.parametrize(
    "body",
    [b'{"username": "\\ud800", "password": "x"}', b"{", b'{"a": ' * 60_00, b"\xff", b""],
    ids=["lone surrogate", "cut off", "deeply nested", "no UTF-8", "empty"],
)
def test_malformed_json_is_refused(http: HttpClient, body: bytes) -> None:
    """A body that is not JSON gets 400."""
    answer = http.post("/api/login", body=body, headers={"Content-Type": "application/json"})

    assert answer.status == 400


def test_unknown_odd_names_are_unknown(http: HttpClient) -> None:
    """An impossible name is treated as unknown, not as an error."""
    answers = [log_in(http, name).status for name in (" ", "\n", "\u202e", "\U0010ffff", "%")]

    assert answers == 5 * [401]


@pytest.mark.usefixtures("bruce")
def test_other_media_types_are_refused(http: HttpClient) -> None:
    """A body that is neither JSON nor a form gets 415."""
    answer = http.post("/api/login", body=b"<x/>", headers={"Content-Type": "text/xml"})

    assert answer.status == 415


def test_failed_logins_are_counted(http: HttpClient) -> None:
    """The metrics count failed logins."""
    before = failed_logins(http)

    log_in(http, "nobody")

    assert failed_logins(http) == before + 1


def failed_logins(http: HttpClient) -> float:
    """The counter's value."""
    lines = http.get("/metrics").body.decode().splitlines()
    (value,) = [line.split()[1] for line in lines if line.startswith("users_logins_failed_total ")]
    return float(value)


def test_passwords_are_not_logged(backend: ServiceProcess, http: HttpClient, admin: str) -> None:
    """No log line contains a password, whether it was right, wrong or rejected."""
    sent = ["t0psecret-right", "t0psecret-wrong", "t0psecret-new", "t0p", "t0psecret-newer"]
    body = {"username": "zoe", "password": sent[0]}
    http.post("/admin/users", token=admin, json=body)
    http.post("/admin/users", token=admin, json=body | {"password": sent[3]})
    log_in(http, "zoe", sent[1])
    answer = http.post("/api/login", json=body | {"new_password": sent[2]})
    token = answer.json()["Authorized"].removeprefix("Bearer ")
    change = {"password": sent[2], "new_password": sent[4]}

    changed = http.post(
        "/api/me/password", token=token, json=change, headers={"X-Request-ID": "the-last"}
    )

    backend.wait_for_line("request", request_id="the-last")
    assert changed.status == 204
    assert not [line for line in backend.output if "t0p" in line or token in line]
