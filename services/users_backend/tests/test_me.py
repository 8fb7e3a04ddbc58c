"""What users can do with their own account."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from testkit.http_client import Answer, HttpClient
from testkit.token_maker import TokenMaker
from testkit.users_sql import PASSWORD, Sql, hash_of

NEW_PASSWORD = "a better one"


def change(http: HttpClient, token: str | None, **body: object) -> Answer:
    """Request a change of the password."""
    given = {"password": PASSWORD, "new_password": NEW_PASSWORD}
    return http.post("/api/me/password/", token=token, json=given | body)


def log_in(http: HttpClient, password: str) -> int:
    """The status of bruce's login."""
    return http.post("/api/login/", json={"username": "bruce", "password": password}).status


@pytest.mark.parametrize("path", ["/api/me", "/api/me/"])
def test_user_sees_themselves(http: HttpClient, bruce: str, path: str) -> None:
    """A token gets its own user: id, name, creation time and rights, nothing else."""
    answer = http.get(path, token=bruce)

    shown = answer.json()
    assert (answer.status, shown.pop("id"), shown.pop("creation")[-1]) == (200, 1, "Z")
    assert shown == {"username": "bruce", "is_admin": False, "is_disabled": False}


def test_answer_of_a_login_may_follow_the_scheme(http: HttpClient, bruce: str) -> None:
    """A whole login response after `Bearer` is accepted."""
    assert http.get("/api/me/", headers={"Authorization": f"Bearer Bearer {bruce}"}).status == 200


def test_creation_is_the_servers_time_in_utc(http: HttpClient, bruce: str, sql: Sql) -> None:
    """A user's creation time is the database's clock, in UTC with a Z."""
    creation = http.get("/api/me/", token=bruce).json()["creation"]

    assert creation.endswith("Z")
    assert sql.value("SELECT now()") - datetime.fromisoformat(creation) < timedelta(minutes=1)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_caller_without_a_token_sees_no_user(http: HttpClient, method: str) -> None:
    """Without a token the response has a challenge."""
    answer = http.request(method, "/api/me/")

    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_deleted_user_is_not_known_any_more(http: HttpClient, bruce: str, sql: Sql) -> None:
    """A token whose user has since been deleted gets 401."""
    sql.run("UPDATE users SET deleted_at = now(), password_hash = NULL")

    answers = [http.get("/api/me/", token=bruce), change(http, bruce)]

    assert [answer.status for answer in answers] == [401, 401]
    assert "invalid_token" in answers[0].headers["WWW-Authenticate"]


def test_forged_token_is_refused(http: HttpClient, sql: Sql, tmp_path: Path) -> None:
    """A token signed with a foreign key gets 401."""
    user_id = sql.add_user("bruce")
    forger = TokenMaker(tmp_path, stranger=True)

    answer = http.get("/api/me/", token=forger.token("bruce", user_id=user_id))

    assert answer.status == 401


@pytest.mark.parametrize("path", ["/api/me/password", "/api/me/password/"])
def test_password_is_changed(http: HttpClient, bruce: str, path: str) -> None:
    """After a change the new password logs in and the old one does not."""
    answer = http.post(path, token=bruce, form={"password": PASSWORD, "new_password": NEW_PASSWORD})

    assert (answer.status, answer.body) == (204, b"")
    assert (log_in(http, NEW_PASSWORD), log_in(http, PASSWORD)) == (200, 401)


def test_session_outlives_its_own_change_of_password(http: HttpClient, bruce: str) -> None:
    """A user who changes their password stays logged in."""
    change(http, bruce)

    assert http.get("/api/me/", token=bruce).status == 200


def test_wrong_present_password_is_forbidden(http: HttpClient, bruce: str) -> None:
    """Without the current password, it cannot be changed."""
    answer = change(http, bruce, password="wrong")

    assert answer.status == 403
    assert log_in(http, PASSWORD) == 200


def test_others_keep_their_password(http: HttpClient, bruce: str, sql: Sql) -> None:
    """A change affects only the caller."""
    sql.add_user("stephen")

    change(http, bruce)

    assert sql.hash_of_user("stephen") == hash_of(PASSWORD)


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        ({"new_password": "7 chars"}, "new_password"),
        ({"new_password": "x" * 129}, "new_password"),
        ({"new_password": None}, "new_password"),
        ({"new_password": "eight\0ch"}, "new_password"),
        ({"password": ""}, "password"),
    ],
)
def test_unfit_password_is_refused(
    http: HttpClient, bruce: str, fault: dict[str, object], field: str
) -> None:
    """A new password has 8 to 128 characters."""
    answer = change(http, bruce, **fault)

    assert (answer.status, answer.faulty_fields) == (400, [field])


@pytest.mark.parametrize("length", [8, 128])
def test_longest_and_shortest_password_work(http: HttpClient, bruce: str, length: int) -> None:
    """8 and 128 characters are both valid, in any script."""
    password = ("密码要很长才难猜" * 16)[:length]

    answer = change(http, bruce, new_password=password)

    assert answer.status == 204
    assert log_in(http, password) == 200


def test_missing_token_is_reported_before_the_body_is_read(http: HttpClient) -> None:
    """401 comes before 400 and 415."""
    answers = [
        change(http, None, password=""),
        http.post("/api/me/password", body=b"x", headers={"Content-Type": "text/plain"}),
        http.post("/admin/users", json=[]),
    ]

    assert [answer.status for answer in answers] == [401, 401, 401]
