"""Deleting one's own account."""

import pytest

from services.users_backend.tests.conftest import LogIn
from testkit.http_client import Answer, HttpClient
from testkit.users_sql import PASSWORD, Sql


def delete(http: HttpClient, token: str | None, **body: object) -> Answer:
    """Delete the caller's account."""
    return http.delete("/api/me/", token=token, json={"password": PASSWORD, **body})


@pytest.mark.parametrize("path", ["/api/me", "/api/me/"])
@pytest.mark.parametrize("kind", ["json", "form"])
def test_account_is_deleted(http: HttpClient, bruce: str, sql: Sql, path: str, kind: str) -> None:
    """With the password the account is gone: no token and no login works, the hash is gone."""
    answer = http.delete(path, token=bruce, **{kind: {"password": PASSWORD}})

    login = http.post("/api/login", json={"username": "bruce", "password": PASSWORD})
    assert (answer.status, answer.body) == (204, b"")
    assert (http.get("/api/me", token=bruce).status, login.status) == (401, 401)
    assert sql.hash_of_user("bruce") is None


def test_all_sessions_end(http: HttpClient, bruce: str, sql: Sql, log_in_by_sql: LogIn) -> None:
    """The other sessions end as well."""
    other = log_in_by_sql("bruce", 1)

    delete(http, bruce)

    assert http.get("/api/me", token=other).status == 401
    assert sql.value("SELECT count(*) FROM sessions WHERE ended_at IS NULL") == 0


def test_wrong_password_deletes_nothing(http: HttpClient, bruce: str, sql: Sql) -> None:
    """A wrong password is a 403, and the account stays."""
    answer = delete(http, bruce, password="wrong")

    assert (answer.status, answer.json()["detail"]) == (403, "The current password is wrong.")
    assert http.get("/api/me", token=bruce).status == 200


def test_caller_without_a_token_deletes_nothing(http: HttpClient, bruce: str) -> None:
    """Without a token the status is 401."""
    assert delete(http, None).status == 401
    assert http.get("/api/me", token=bruce).status == 200


def test_password_is_required(http: HttpClient, bruce: str) -> None:
    """Without a body the status is 400, and the error names the password."""
    answer = http.delete("/api/me", token=bruce)

    assert (answer.status, answer.faulty_fields) == (400, ["password"])


def test_guesses_are_limited(http: HttpClient, bruce: str) -> None:
    """Wrong passwords count: after five the next one must wait, right or wrong."""
    statuses = [delete(http, bruce, password="wrong").status for _ in range(5)]

    assert (statuses, delete(http, bruce).status) == ([403] * 5, 429)


@pytest.mark.parametrize(("password", "status"), [(PASSWORD, 204), ("wrong", 403)])
def test_dry_run_deletes_nothing(
    http: HttpClient, bruce: str, sql: Sql, password: str, status: int
) -> None:
    """With `dry_run` only the password is checked."""
    answer = delete(http, bruce, password=password, dry_run=True)

    assert answer.status == status
    assert http.get("/api/me", token=bruce).status == 200
    assert ("user deleted", "bruce", "") not in sql.audited()


@pytest.mark.parametrize("dry_run", [True, False])
def test_last_admin_stays(http: HttpClient, admin: str, sql: Sql, *, dry_run: bool) -> None:
    """The last admin cannot delete their own account: 409, also of a dry run."""
    sql.add_user("bruce")

    assert delete(http, admin, dry_run=dry_run).status == 409
    assert http.get("/api/me", token=admin).status == 200


def test_one_of_two_admins_may_go(http: HttpClient, admin: str, sql: Sql) -> None:
    """While there is another admin, an admin can delete their own account."""
    sql.add_user("second", is_admin=True)

    assert delete(http, admin).status == 204


def test_browsers_of_the_user_are_forgotten(http: HttpClient, bruce: str, sql: Sql) -> None:
    """The browsers that the user logged in from are deleted with the account."""
    http.post("/api/login", json={"username": "bruce", "password": PASSWORD})
    before = sql.value("SELECT count(*) FROM browsers")

    delete(http, bruce)

    assert (before, sql.value("SELECT count(*) FROM browsers")) == (1, 0)


def test_deletion_is_recorded(http: HttpClient, bruce: str, sql: Sql) -> None:
    """The audit log has who deleted their account."""
    delete(http, bruce)

    assert sql.audited() == [("user deleted", "bruce", "")]
