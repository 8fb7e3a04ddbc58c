"""Logging in with a new password, which is required if the present one is temporary."""

from unicodedata import normalize

import pytest

from services.users_backend.tests.conftest import LogIn, MakeBackend
from testkit.http_client import Answer, HttpClient
from testkit.users_sql import PASSWORD, Sql, hash_of

NEW_PASSWORD = "be water, my friend"


def log_in(http: HttpClient, password: str = PASSWORD, **more: object) -> Answer:
    """Log bruce in."""
    body = {"username": "bruce", "password": password, **more}
    return http.post("/api/login/", json=body)


@pytest.fixture
def new_bruce(sql: Sql) -> int:
    """The id of bruce, whose password is temporary."""
    return sql.add_user("bruce", must_change_password=True)


@pytest.mark.usefixtures("new_bruce")
def test_temporary_password_alone_gets_no_token(http: HttpClient, sql: Sql) -> None:
    """The right password, if temporary, is a 403 that asks for a new one."""
    answer = log_in(http)

    assert answer.status == 403
    assert answer.json()["detail"] == "Choose a new password: send it as new_password."
    assert sql.value("SELECT count(*) FROM sessions") == 0


@pytest.mark.usefixtures("new_bruce")
def test_wrong_password_says_nothing_of_it(http: HttpClient) -> None:
    """A wrong password gets the same 401 as for any other user, with or without a new one."""
    answers = [log_in(http, "wrong"), log_in(http, "wrong", new_password=NEW_PASSWORD)]

    assert [answer.status for answer in answers] == [401, 401]
    assert {answer.json()["detail"] for answer in answers} == {"The name or the password is wrong."}


@pytest.mark.usefixtures("new_bruce")
def test_new_password_is_stored_and_used_from_then_on(http: HttpClient) -> None:
    """The login that brings a new password succeeds, and the old one is no longer known."""
    first = log_in(http, new_password=NEW_PASSWORD)
    later = [log_in(http).status, log_in(http, NEW_PASSWORD).status]

    assert (first.status, list(first.json())[:1]) == (200, ["Authorized"])
    assert later == [401, 200]


@pytest.mark.usefixtures("new_bruce")
@pytest.mark.parametrize("password", ["7 chars", "password", "bruce2026", PASSWORD])
def test_bad_new_password_changes_nothing(http: HttpClient, password: str) -> None:
    """A new password that is refused, or the present one, is a 400; the user must still choose."""
    answer = log_in(http, new_password=password)

    assert (answer.status, answer.faulty_fields) == (400, ["new_password"])
    assert log_in(http).status == 403


def test_new_password_may_come_with_any_login(
    http: HttpClient, sql: Sql, log_in_by_sql: LogIn
) -> None:
    """Even without need a login can bring a new password; all sessions but its own end."""
    old = log_in_by_sql("bruce", sql.add_user("bruce"))

    new = log_in(http, new_password=NEW_PASSWORD).json()["Authorized"].removeprefix("Bearer ")

    assert [http.get("/api/me", token=token).status for token in (old, new)] == [401, 200]
    assert log_in(http, NEW_PASSWORD).status == 200


@pytest.mark.usefixtures("new_bruce")
def test_new_password_at_login_is_recorded(http: HttpClient, sql: Sql) -> None:
    """The audit log has the change and the login, and neither of the passwords."""
    log_in(http, new_password=NEW_PASSWORD)

    rows = sql.run("SELECT * FROM audit ORDER BY id DESC LIMIT 2")
    assert [(row["event"], row["actor"]) for row in rows] == [
        ("login", "bruce"),
        ("password changed", "bruce"),
    ]
    assert NEW_PASSWORD not in str(rows)


def let_age(sql: Sql, days_ago: int) -> None:
    """Make the passwords of all users this old."""
    sql.run("UPDATE users SET password_set_at = now() - $1 * interval '1 day'", days_ago)


@pytest.mark.usefixtures("new_bruce")
def test_temporary_password_expires(http: HttpClient, sql: Sql) -> None:
    """After a week the right password is a 409, even with a new one; the audit log has it."""
    let_age(sql, days_ago=8)

    answers = [log_in(http), log_in(http, new_password=NEW_PASSWORD)]

    assert [answer.status for answer in answers] == [409, 409]
    assert "has expired" in answers[0].json()["detail"]
    assert log_in(http, "wrong").status == 401
    assert sql.audited()[0] == ("password expired", "bruce", "")
    assert sql.value("SELECT count(*) FROM sessions") == 0


@pytest.mark.usefixtures("new_bruce")
def test_temporary_password_can_be_used_for_a_week(http: HttpClient, sql: Sql) -> None:
    """Before that, it is good for the first login."""
    let_age(sql, days_ago=6)

    assert log_in(http, new_password=NEW_PASSWORD).status == 200


def test_another_temporary_password_begins_another_week(
    http: HttpClient, sql: Sql, new_bruce: int, admin: str
) -> None:
    """After a reset by an admin the user can log in again; other changes do not help."""
    let_age(sql, days_ago=8)
    http.request("PATCH", f"/admin/users/{new_bruce}", token=admin, json={"is_admin": True})
    before = log_in(http).status

    http.request(
        "PATCH", f"/admin/users/{new_bruce}", token=admin, json={"password": "temporary once again"}
    )

    assert (before, log_in(http, "temporary once again").status) == (409, 403)


def test_chosen_password_does_not_expire(http: HttpClient, sql: Sql) -> None:
    """However old it is, a password that the user has chosen is good."""
    sql.add_user("bruce")
    let_age(sql, days_ago=4000)

    assert log_in(http).status == 200


@pytest.mark.usefixtures("new_bruce")
@pytest.mark.parametrize(("seconds", "status"), [("3600", 409), ("0", 403)])
def test_time_of_temporary_passwords_is_a_setting(
    make_backend: MakeBackend, sql: Sql, seconds: str, status: int
) -> None:
    """TEMPORARY_PASSWORD_SECONDS says how long; 0 means for ever."""
    let_age(sql, days_ago=1)
    backend = make_backend(TEMPORARY_PASSWORD_SECONDS=seconds)
    backend.start()

    assert log_in(backend.http).status == status


def test_disabled_user_is_not_asked_for_a_new_password(
    http: HttpClient, sql: Sql, new_bruce: int
) -> None:
    """A disabled user gets the 401 of a wrong password, which shows nothing."""
    sql.run("UPDATE users SET disabled_at = now() WHERE id = $1", new_bruce)

    assert [log_in(http).status, log_in(http, new_password=NEW_PASSWORD).status] == [401, 401]


def test_temporary_password_in_another_form_is_not_new(http: HttpClient, sql: Sql) -> None:
    """With its accents decomposed (NFD), the temporary password is still the same: a 400."""
    temporary = "fünf Wörter für Zoë"
    sql.add_user("bruce", password_hash=hash_of(temporary), must_change_password=True)

    answer = log_in(http, temporary, new_password=normalize("NFD", temporary))

    assert (answer.status, answer.faulty_fields) == (400, ["new_password"])
    assert log_in(http, temporary).status == 403


def test_change_to_the_present_password_is_refused(
    http: HttpClient, sql: Sql, log_in_by_sql: LogIn
) -> None:
    """Changing the password to itself is a 400."""
    token = log_in_by_sql("bruce", sql.add_user("bruce"))
    body = {"password": PASSWORD, "new_password": PASSWORD}

    answer = http.post("/api/me/password", token=token, json=body)

    assert (answer.status, answer.faulty_fields) == (400, ["new_password"])
