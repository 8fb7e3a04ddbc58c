"""How admins change other users: their rights, their passwords, their sessions."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from services.users_backend.tests.conftest import LogIn
from testkit.http_client import Answer, HttpClient
from testkit.users_sql import PASSWORD, Sql
from testkit.waiting import wait_until

RESET = "set by an admin"
CHANGES: list[tuple[dict[str, object], str]] = [
    ({"is_admin": True}, "admin made"),
    ({"is_disabled": True}, "user disabled"),
    ({"password": RESET}, "password reset"),
]


def change(http: HttpClient, token: str, user_id: int, **body: object) -> Answer:
    """Change a user."""
    return http.request("PATCH", f"/admin/users/{user_id}/", token=token, json=body)


def log_in(http: HttpClient, username: str, password: str, **more: str) -> int:
    """The status of a login."""
    body = {"username": username, "password": password, **more}
    return http.post("/api/login/", json=body).status


@pytest.fixture
def bruce_id(sql: Sql) -> int:
    """The id of bruce, who is no admin."""
    return sql.add_user("bruce")


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("kind", ["json", "form"])
def test_rights_are_given(
    http: HttpClient, admin: str, bruce_id: int, slash: str, kind: str
) -> None:
    """An admin makes a user an admin, by JSON or by a form, and sees the user as they are then."""
    body: dict[str, Any] = {"json": {"is_admin": True}, "form": {"is_admin": "true"}}
    path = f"/admin/users/{bruce_id}{slash}"

    answer = http.request("PATCH", path, token=admin, **{kind: body[kind]})

    assert (answer.status, answer.json()["username"]) == (200, "bruce")
    assert (answer.json()["is_admin"], answer.json()["is_disabled"]) == (True, False)
    assert http.get("/admin/users", token=admin).json()[0] == answer.json()


def test_new_admin_uses_the_rights(http: HttpClient, admin: str, bruce_id: int) -> None:
    """A user who is made an admin can do what admins do, once logged in again."""
    change(http, admin, bruce_id, is_admin=True)

    login = http.post("/api/login", json={"username": "bruce", "password": PASSWORD})
    token = login.json()["Authorized"].removeprefix("Bearer ")
    assert http.get("/admin/users", token=token).status == 200


@pytest.mark.parametrize(("body", "event"), CHANGES)
def test_every_change_ends_the_sessions(
    http: HttpClient,
    admin: str,
    bruce_id: int,
    log_in_by_sql: LogIn,
    body: dict[str, object],
    event: str,
) -> None:
    """After each kind of change, tokens of the user are refused at once; the admin's is not."""
    token = log_in_by_sql("bruce", bruce_id)
    before = http.get("/api/me", token=token).status

    change(http, admin, bruce_id, **body)

    assert (before, http.get("/api/me", token=token).status) == (200, 401)
    assert http.get("/api/me", token=admin).status == 200


@pytest.mark.parametrize(("body", "event"), CHANGES)
def test_every_change_is_recorded(
    http: HttpClient, admin: str, bruce_id: int, sql: Sql, body: dict[str, object], event: str
) -> None:
    """The audit log says which admin changed what of which user, and never a password."""
    change(http, admin, bruce_id, **body)

    assert sql.audited() == [(event, "admin", "bruce")]


def test_several_changes_come_at_once(
    http: HttpClient, admin: str, bruce_id: int, sql: Sql
) -> None:
    """One request can change everything; each change has its entry in the audit log."""
    answer = change(http, admin, bruce_id, is_admin=True, is_disabled=True, password=RESET)

    assert (answer.json()["is_admin"], answer.json()["is_disabled"]) == (True, True)
    assert [event for event, *_ in sql.audited()] == [
        "admin made",
        "user disabled",
        "password reset",
    ]


@pytest.mark.parametrize("body", [{}, {"is_admin": False}, {"is_disabled": False, "other": 1}])
def test_what_is_already_so_is_no_change(
    http: HttpClient,
    admin: str,
    bruce_id: int,
    sql: Sql,
    log_in_by_sql: LogIn,
    body: dict[str, object],
) -> None:
    """A request that changes nothing is answered with the user; sessions and log stay."""
    token = log_in_by_sql("bruce", bruce_id)

    answer = change(http, admin, bruce_id, **body)

    assert (answer.status, answer.json()["id"]) == (200, bruce_id)
    assert http.get("/api/me", token=token).status == 200
    assert sql.audited() == []


def test_rights_are_taken(http: HttpClient, admin: str, sql: Sql, log_in_by_sql: LogIn) -> None:
    """A demoted admin's token is refused, and a later one has no rights."""
    second = sql.add_user("second", is_admin=True)
    token = log_in_by_sql("second", second, scope="admin")

    answer = change(http, admin, second, is_admin=False)

    assert (answer.status, answer.json()["is_admin"]) == (200, False)
    assert http.get("/admin/users", token=token).status == 401
    assert http.get("/admin/users", token=log_in_by_sql("second", second)).status == 403
    assert sql.audited() == [("admin unmade", "admin", "second")]


def test_disabled_user_cannot_log_in_until_enabled(
    http: HttpClient, admin: str, bruce_id: int, sql: Sql
) -> None:
    """A disabled user gets the 401 of a wrong password; an enabled one logs in as before."""
    change(http, admin, bruce_id, is_disabled=True)
    while_disabled = log_in(http, "bruce", PASSWORD)
    sql.run("DELETE FROM guesses")

    answer = change(http, admin, bruce_id, is_disabled=False)

    assert (while_disabled, answer.json()["is_disabled"]) == (401, False)
    assert log_in(http, "bruce", PASSWORD) == 200


def test_reset_password_must_be_changed(http: HttpClient, admin: str, bruce_id: int) -> None:
    """After a reset the old password is wrong, and the new one only good for choosing another."""
    change(http, admin, bruce_id, password=RESET)

    statuses = [log_in(http, "bruce", PASSWORD), log_in(http, "bruce", RESET)]
    chosen = log_in(http, "bruce", RESET, new_password="be water, my friend")

    assert (statuses, chosen) == ([401, 403], 200)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"password": "7 chars"}, ["password"]),
        ({"password": "password"}, ["password"]),
        ({"password": "bruce2026"}, ["password"]),
        ({"is_admin": "yes"}, ["is_admin"]),
        ({"is_admin": None, "is_disabled": 1}, ["is_admin", "is_disabled"]),
        ({"is_admin": True, "password": None}, ["password"]),
    ],
)
def test_unfit_change_changes_nothing(
    http: HttpClient,
    admin: str,
    bruce_id: int,
    sql: Sql,
    body: dict[str, object],
    fields: list[str],
) -> None:
    """Invalid fields are a 400 with an entry for each, and the user stays as before."""
    before = sql.run("SELECT * FROM users")

    answer = change(http, admin, bruce_id, **body)

    assert (answer.status, answer.faulty_fields) == (400, fields)
    assert sql.run("SELECT * FROM users") == before


@pytest.mark.parametrize("value", ["True", "1", "", "yes"])
def test_forms_say_true_or_false(http: HttpClient, admin: str, bruce_id: int, value: str) -> None:
    """In a form anything but `true` and `false` is a 400."""
    answer = http.request(
        "PATCH", f"/admin/users/{bruce_id}", token=admin, form={"is_admin": value}
    )

    assert (answer.status, answer.faulty_fields) == (400, ["is_admin"])


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_unknown_and_deleted_users_are_not_found(
    http: HttpClient, admin: str, bruce_id: int, sql: Sql, method: str
) -> None:
    """Changing a user, or ending the sessions of one, who does not exist or is deleted is a 404."""
    sql.run("UPDATE users SET deleted_at = now(), password_hash = NULL WHERE id = $1", bruce_id)
    rest = {"PATCH": "", "DELETE": "/sessions"}[method]

    statuses = [
        http.request(method, f"/admin/users/{some}{rest}", token=admin, json={}).status
        for some in (bruce_id, 2**63 - 1)
    ]

    assert statuses == [404, 404]


LAST: list[tuple[str, dict[str, object]]] = [
    ("PATCH", {"is_admin": False}),
    ("PATCH", {"is_disabled": True}),
    ("DELETE", {}),
]


@pytest.mark.parametrize(("method", "body"), LAST)
def test_last_admin_stays_one(
    http: HttpClient, admin: str, sql: Sql, method: str, body: dict[str, object]
) -> None:
    """The last admin cannot be demoted, disabled or deleted: 409; disabled ones do not count."""
    sql.add_user("disabled", is_admin=True)
    sql.run("UPDATE users SET disabled_at = now() WHERE username = 'disabled'")

    answer = http.request(method, "/admin/users/1", token=admin, json=body)

    assert answer.status == 409
    assert sql.audited() == []
    assert http.get("/admin/users", token=admin).status == 200


@pytest.mark.parametrize(("method", "body"), LAST)
@pytest.mark.parametrize(("days", "is_refused"), [(6, False), (8, True)])
def test_admin_whose_temporary_password_has_expired_does_not_count(
    http: HttpClient,
    admin: str,
    sql: Sql,
    method: str,
    body: dict[str, object],
    days: int,
    *,
    is_refused: bool,
) -> None:
    """One who can no longer log in for the first time is no other admin: the last one stays."""
    sql.add_user("new", is_admin=True, must_change_password=True)
    sql.run(
        "UPDATE users SET password_set_at = now() - $1 * interval '1 day' WHERE username = 'new'",
        days,
    )

    answer = http.request(method, "/admin/users/1", token=admin, json=body)

    assert (answer.status == 409) is is_refused


@pytest.mark.parametrize(("method", "body"), LAST)
def test_admins_who_remove_each_other_at_once_leave_one(
    http: HttpClient, sql: Sql, log_in_by_sql: LogIn, method: str, body: dict[str, object]
) -> None:
    """If admins remove each other at the same time, one admin is left."""
    for number in range(5):
        ids = [sql.add_user(f"{name} {number}", is_admin=True) for name in ("ann", "bob")]
        tokens = [log_in_by_sql("admin", user_id, scope="admin") for user_id in ids]
        paths = [f"/admin/users/{user_id}" for user_id in reversed(ids)]

        with ThreadPoolExecutor(2) as pool:
            answers = pool.map(
                lambda token, path: http.request(method, path, token=token, json=body).status,
                tokens,
                paths,
            )
            statuses = sorted(answers)

        left = sql.value(
            "SELECT count(*) FROM users "
            "WHERE is_admin AND disabled_at IS NULL AND deleted_at IS NULL"
        )
        assert left == 1, statuses
        sql.run("UPDATE users SET is_admin = false")


def test_demotion_waits_for_another_that_is_under_way(
    http: HttpClient, admin: str, sql: Sql
) -> None:
    """While a transaction demotes one of two admins, the demotion of the other waits, and fails."""
    other_id = sql.add_user("other", is_admin=True)
    with sql.other() as under_way, ThreadPoolExecutor(1) as pool:
        under_way.run("BEGIN")
        under_way.run("UPDATE users SET is_admin = false WHERE id = $1", other_id)
        answer = pool.submit(change, http, admin, 1, is_admin=False)
        wait_for_lock(sql)
        under_way.run("COMMIT")

        assert answer.result().status == 409


def wait_for_lock(sql: Sql) -> None:
    """Wait until a statement waits for the lock of another."""
    wait_until(lambda: sql.value("SELECT count(*) FROM pg_locks WHERE NOT granted") > 0)


def test_sessions_of_a_user_end(
    http: HttpClient, admin: str, bruce_id: int, sql: Sql, log_in_by_sql: LogIn
) -> None:
    """An admin ends all sessions of a user, who can log in again."""
    tokens = [log_in_by_sql("bruce", bruce_id) for _ in range(2)]

    answer = http.delete(f"/admin/users/{bruce_id}/sessions/", token=admin)

    assert (answer.status, answer.body) == (204, b"")
    assert [http.get("/api/me", token=token).status for token in tokens] == [401, 401]
    assert log_in(http, "bruce", PASSWORD) == 200
    assert sql.audited()[0] == ("sessions ended", "admin", "bruce")


def test_creation_and_deletion_are_recorded(http: HttpClient, admin: str, sql: Sql) -> None:
    """The audit log has who created and deleted whom; a second deletion is none."""
    body = {"username": "Zoë", "password": PASSWORD}
    user_id = http.post("/admin/users", token=admin, json=body).json()["id"]
    for _ in range(2):
        http.delete(f"/admin/users/{user_id}", token=admin)

    assert sql.audited() == [("user created", "admin", "Zoë"), ("user deleted", "admin", "Zoë")]
