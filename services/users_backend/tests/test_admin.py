"""What admins can do with users."""

import re
from typing import Any

import pytest

from testkit.http_client import HttpClient
from testkit.token_maker import TokenMaker
from testkit.users_sql import PASSWORD, Sql

ZOE = {"username": "Zoë", "password": PASSWORD}
ADMIN_CALLS = [
    ("POST", "/admin/users", {"json": ZOE}),
    ("POST", "/admin/users/", {"json": ZOE}),
    ("GET", "/admin/users", {}),
    ("GET", "/admin/users/", {}),
    ("GET", "/admin/users/1", {}),
    ("DELETE", "/admin/users/1", {}),
    ("DELETE", "/admin/users/1/", {}),
    ("PATCH", "/admin/users/1", {"json": {"is_disabled": True}}),
    ("PATCH", "/admin/users/1/", {"json": {"is_admin": True}}),
    ("DELETE", "/admin/users/1/sessions", {}),
    ("DELETE", "/admin/users/1/sessions/", {}),
    ("GET", "/admin/audit", {}),
    ("GET", "/admin/audit/", {}),
]


def listed(http: HttpClient, admin: str, **query: object) -> list[str]:
    """The names on a page of the list."""
    answer = http.get("/admin/users/", token=admin, query=query)
    return [user["username"] for user in answer.json()]


@pytest.mark.parametrize(("method", "path", "body"), ADMIN_CALLS)
def test_caller_without_a_token_may_do_nothing(
    http: HttpClient, method: str, path: str, body: dict[str, Any]
) -> None:
    """Without a token every admin endpoint returns 401."""
    answer = http.request(method, path, **body)

    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize(("method", "path", "body"), ADMIN_CALLS)
def test_user_may_do_nothing(
    http: HttpClient, bruce: str, sql: Sql, method: str, path: str, body: dict[str, Any]
) -> None:
    """A user who is not an admin gets 403 from every admin endpoint, and nothing changes."""
    before = sql.run("SELECT * FROM users")

    answer = http.request(method, path, token=bruce, **body)

    assert answer.status == 403
    assert sql.run("SELECT * FROM users") == before


@pytest.mark.parametrize(("method", "path", "body"), ADMIN_CALLS)
def test_deleted_admin_may_do_nothing(
    http: HttpClient, admin: str, sql: Sql, method: str, path: str, body: dict[str, Any]
) -> None:
    """An admin's token is rejected here as soon as the admin is deleted."""
    sql.run("UPDATE users SET deleted_at = now(), password_hash = NULL")

    answer = http.request(method, path, token=admin, **body)

    assert answer.status == 401


@pytest.mark.parametrize("path", ["/admin/users", "/admin/users/"])
@pytest.mark.parametrize("kind", ["json", "form"])
def test_user_is_created(http: HttpClient, admin: str, sql: Sql, path: str, kind: str) -> None:
    """An admin creates a user, who is not an admin, and sees the same data as everybody else."""
    answer = http.post(path, token=admin, **{kind: ZOE})

    shown = answer.json()
    assert (answer.status, shown.pop("id"), shown.pop("creation")[-1]) == (201, 2, "Z")
    assert shown == {"username": "Zoë", "is_admin": False, "is_disabled": False}
    assert sql.value("SELECT is_admin FROM users WHERE username = 'Zoë'") is False


def test_created_user_chooses_a_password_at_the_first_login(http: HttpClient, admin: str) -> None:
    """A new user logs in with the password set by the admin, and with a new one of their own."""
    http.post("/admin/users", token=admin, json=ZOE)

    alone = http.post("/api/login", json=ZOE)
    with_another = http.post("/api/login", json={**ZOE, "new_password": "be water, my friend"})

    assert (alone.status, with_another.status) == (403, 200)


def test_body_cannot_make_an_admin(http: HttpClient, admin: str, sql: Sql) -> None:
    """Fields other than name and password have no effect."""
    http.post("/admin/users", token=admin, json={**ZOE, "is_admin": True, "id": 77})

    row = sql.run("SELECT id, is_admin FROM users WHERE username = 'Zoë'")[0]
    assert (row["id"], row["is_admin"]) == (2, False)


def test_password_is_stored_as_an_argon2id_hash(http: HttpClient, admin: str, sql: Sql) -> None:
    """A salted argon2id hash with the documented parameters is stored."""
    http.post("/admin/users", token=admin, json=ZOE)

    stored = sql.hash_of_user("Zoë")

    assert stored is not None
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize(
    ("fault", "fields"),
    [
        ({"username": None}, ["username"]),
        ({"password": "7 chars"}, ["password"]),
        ({"password": "x" * 129}, ["password"]),
        ({"username": "", "password": ""}, ["username", "password"]),
    ],
)
def test_unfit_user_is_refused(
    http: HttpClient, admin: str, fault: dict[str, object], fields: list[str]
) -> None:
    """Errors in name or password are reported field by field."""
    answer = http.post("/admin/users", token=admin, json=ZOE | fault)

    assert (answer.status, answer.faulty_fields) == (400, fields)


def test_refusal_does_not_repeat_the_password(http: HttpClient, admin: str) -> None:
    """An error shows nothing of a rejected password."""
    answer = http.post("/admin/users", token=admin, json=ZOE | {"password": "s3cret"})

    assert b"s3cret" not in answer.body


def test_list_is_newest_first_without_the_deleted(http: HttpClient, admin: str, sql: Sql) -> None:
    """The list shows all existing users, newest first."""
    for name in ("a", "b", "c"):
        sql.add_user(name)
    sql.run("UPDATE users SET deleted_at = now(), password_hash = NULL WHERE username = 'b'")

    assert listed(http, admin) == ["c", "a", "admin"]


def test_list_shows_rights(http: HttpClient, admin: str, sql: Sql) -> None:
    """An entry of the list also says who is an admin, and who is disabled."""
    sql.add_user("bruce")
    sql.run("UPDATE users SET disabled_at = now() WHERE username = 'bruce'")

    answer = http.get("/admin/users", token=admin)

    users = [(user["username"], user["is_admin"], user["is_disabled"]) for user in answer.json()]
    assert users == [("bruce", False, True), ("admin", True, False)]
    assert set(answer.json()[0]) == {"id", "username", "creation", "is_admin", "is_disabled"}


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("BRUCE", ["Bruce Lee", "bruce"]),
        ("e l", ["Bruce Lee"]),
        ("ÜNAL", ["Ünal Çağrı Şahin"]),
        ("u\u0308nal", ["Ünal Çağrı Şahin"]),
        ("ｌｅｅ", ["Bruce Lee"]),
        ("STRASSE", ["Straße"]),
        ("明", ["小明"]),
        ("%", ["100%_"]),
        ("_", ["100%_"]),
        ("nobody", []),
        ("", ["100%_", "小明", "Straße", "Ünal Çağrı Şahin", "Bruce Lee", "bruce", "admin"]),
    ],
)
def test_search_finds_a_part_of_the_name(
    http: HttpClient, admin: str, sql: Sql, search: str, found: list[str]
) -> None:
    """`search` finds a part of the name in any case and form; no character is special."""
    for name in ("bruce", "Bruce Lee", "Ünal Çağrı Şahin", "Straße", "小明", "100%_", "gone"):
        sql.add_user(name)
    sql.run("UPDATE users SET deleted_at = now(), password_hash = NULL WHERE username = 'gone'")

    assert listed(http, admin, search=search) == found


@pytest.mark.parametrize("slash", ["", "/"])
def test_one_user_is_shown(http: HttpClient, admin: str, sql: Sql, slash: str) -> None:
    """An admin sees any user who has not been deleted, as in the list."""
    user_id = sql.add_user("Zoë")

    answer = http.get(f"/admin/users/{user_id}{slash}", token=admin)
    http.delete(f"/admin/users/{user_id}", token=admin)
    afterwards = http.get(f"/admin/users/{user_id}{slash}", token=admin)

    assert answer.status == 200
    assert answer.json() == {
        "id": user_id,
        "username": "Zoë",
        "creation": answer.json()["creation"],
        "is_admin": False,
        "is_disabled": False,
    }
    assert afterwards.status == 404


def test_pages_of_a_search_keep_it(http: HttpClient, admin: str, sql: Sql) -> None:
    """The links of a page keep the search."""
    for name in ("ann 1", "bob", "ann 2", "ann 3"):
        sql.add_user(name)

    first = http.get("/admin/users?search=ANN&limit=2", token=admin)
    found = re.search(r'<([^>]*)>; rel="next"', first.headers["Link"])
    assert found is not None

    pages = [first.json(), http.get(found[1], token=admin).json()]
    names = [[user["username"] for user in page] for page in pages]
    assert names == [["ann 3", "ann 2"], ["ann 1"]]


@pytest.mark.parametrize("slash", ["", "/"])
def test_user_is_deleted(http: HttpClient, admin: str, sql: Sql, slash: str) -> None:
    """A deleted user cannot log in and is not listed."""
    user_id = sql.add_user("bruce")

    answer = http.delete(f"/admin/users/{user_id}{slash}", token=admin)

    assert (answer.status, answer.body) == (204, b"")
    assert listed(http, admin) == ["admin"]
    body = {"username": "bruce", "password": PASSWORD}
    assert http.post("/api/login", json=body).status == 401


def test_deleting_twice_is_no_error(http: HttpClient, admin: str, sql: Sql) -> None:
    """Deleting a missing user returns 204, and the first deletion stands."""
    user_id = sql.add_user("bruce")
    http.delete(f"/admin/users/{user_id}", token=admin)
    first = sql.value("SELECT deleted_at FROM users WHERE id = $1", user_id)

    answers = [http.delete(f"/admin/users/{some}", token=admin) for some in (user_id, 2**63 - 1)]

    assert [answer.status for answer in answers] == [204, 204]
    assert sql.value("SELECT deleted_at FROM users WHERE id = $1", user_id) == first


@pytest.mark.parametrize("user_id", ["0", "-1", "1.5", "abc", "+1", "1_0", "٣", str(2**63)])
def test_what_is_no_id_is_not_found(http: HttpClient, admin: str, user_id: str) -> None:
    """Only a positive 64-bit integer in ASCII digits is an id."""
    path = "/admin/users/" + "".join(f"%{byte:02x}" for byte in user_id.encode())

    assert http.delete(path, token=admin).status == 404


def test_deleted_user_leaves_the_name_and_no_hash(http: HttpClient, admin: str, sql: Sql) -> None:
    """Only the row of a deleted user stays, without the password."""
    user_id = sql.add_user("bruce")

    http.delete(f"/admin/users/{user_id}", token=admin)

    row = sql.run("SELECT username, password_hash, deleted_at FROM users WHERE id = $1", user_id)[0]
    assert (row["username"], row["password_hash"]) == ("bruce", None)
    assert row["deleted_at"] is not None


def test_name_of_a_deleted_user_is_never_given_again(
    http: HttpClient, admin: str, sql: Sql
) -> None:
    """The name of a deleted user cannot be reused."""
    user_id = sql.add_user("bruce")
    http.delete(f"/admin/users/{user_id}", token=admin)

    answer = http.post(
        "/admin/users", token=admin, json={"username": "BRUCE", "password": PASSWORD}
    )

    assert answer.status == 409


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/login", "OPTIONS, POST"),
        ("/api/me", "DELETE, GET, HEAD, OPTIONS"),
        ("/api/me/password", "OPTIONS, POST"),
        ("/admin/users", "GET, HEAD, OPTIONS, POST"),
        ("/admin/users/1", "DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("/admin/users/1/sessions", "DELETE, OPTIONS"),
        ("/admin/audit", "GET, HEAD, OPTIONS"),
        ("/.well-known/jwks.json", "GET, HEAD, OPTIONS"),
    ],
)
def test_other_methods_are_refused(http: HttpClient, path: str, allowed: str) -> None:
    """An unsupported method gets 405, with the supported ones."""
    answer = http.request("PUT", path, json={})

    assert (answer.status, answer.headers["Allow"]) == (405, allowed)


def test_token_of_a_user_who_never_existed_is_refused(
    http: HttpClient, sql: Sql, token_maker: TokenMaker
) -> None:
    """An admin's token with an unknown id gets 401."""
    token = token_maker.token("ghost", user_id=2**62, scope="admin")

    assert http.get("/admin/users", token=token).status == 401
