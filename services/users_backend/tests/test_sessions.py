"""Sessions: a login begins one, and when it ends its tokens are refused at once."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from mythoughts_chassis.endpoints import Admin, Endpoint
from mythoughts_chassis.tokens import Principal, TokenVerifier
from services.users_backend.tests.conftest import LogIn, MakeBackend
from testkit.answers import ids, links, walk
from testkit.http_client import Answer, HttpClient
from testkit.token_maker import TokenMaker
from testkit.users_sql import PASSWORD, Sql, hash_of
from testkit.waiting import wait_until
from users_backend.routes import ENDPOINTS

GUARDED = [endpoint for endpoint in ENDPOINTS if endpoint.caller is not None]
FOR_ADMINS = [endpoint for endpoint in GUARDED if endpoint.caller is Admin]
NEW_PASSWORD = "a much better one"

# What ends every session of a user, in SQL.
ENDS = {
    "ended": "UPDATE sessions SET ended_at = now()",
    "expired": "UPDATE sessions SET expires_at = now() - interval '1 second'",
    "deleted": "UPDATE users SET deleted_at = now(), password_hash = NULL",
    "disabled": "UPDATE users SET disabled_at = now()",
    "purged": "DELETE FROM sessions",
}


def call(http: HttpClient, endpoint: Endpoint, token: str) -> int:
    """Call an endpoint without a body, and return the status."""
    path = endpoint.path
    for name in endpoint.ids:
        path = path.replace(f"{{{name}}}", "1")
    return http.request(endpoint.method, path, token=token).status


def log_in(http: HttpClient, username: str = "bruce", **headers: str) -> Answer:
    """Log in with the password that users of tests have."""
    body = {"username": username, "password": PASSWORD}
    return http.post("/api/login", json=body, headers=headers)


def token_in(answer: Answer) -> str:
    """The token in the answer to a login."""
    assert answer.status == 200, answer.text
    return str(answer.json()["Authorized"]).removeprefix("Bearer ")


@pytest.fixture
def verify(token_maker: TokenMaker) -> Callable[[str], Principal]:
    """Verifies a token as the other services do."""
    path = token_maker.public_path
    return TokenVerifier(public_keys_path=path, issuer="mythoughts", audience="mythoughts").verify


@pytest.fixture
def tokens(http: HttpClient, sql: Sql) -> list[str]:
    """The tokens of three sessions of bruce, who is user 1, the oldest first."""
    sql.add_user("bruce")
    return [token_in(log_in(http)) for _ in range(3)]


def statuses(http: HttpClient, tokens: list[str]) -> list[int]:
    """The response to each token."""
    return [http.get("/api/me", token=token).status for token in tokens]


def audited(sql: Sql) -> list[tuple[str, str, str]]:
    """Event, actor and subject of the entries of the audit log, but for logins."""
    return [
        tuple(row)
        for row in sql.run(
            "SELECT event, actor, subject FROM audit WHERE event <> 'login' ORDER BY id"
        )
    ]


def test_login_begins_a_session(
    http: HttpClient, sql: Sql, verify: Callable[[str], Principal]
) -> None:
    """Each login has a row, with its user, its token and the time when the session ends."""
    user_id = sql.add_user("bruce")

    principal = verify(token_in(log_in(http, **{"User-Agent": "Firefox/130"})))

    (row,) = sql.run(
        "SELECT id, user_id, user_agent, ended_at, token_id, "
        "date_trunc('second', token_expires_at) = to_timestamp($1) AS fits, "
        "expires_at = created_at + interval '30 days' AS lasts_30_days FROM sessions",
        principal.expires_at,
    )
    assert (row["id"], row["user_id"]) == (principal.session_id, user_id)
    assert (row["user_agent"], row["ended_at"]) == ("Firefox/130", None)
    assert (row["fits"], row["lasts_30_days"]) == (True, True)
    assert len(row["token_id"]) == 32


def test_login_is_audited(http: HttpClient, sql: Sql) -> None:
    """The audit log says who logged in, from where, in which request."""
    sql.add_user("bruce")

    log_in(http, "BRUCE", **{"X-Request-ID": "the-login"})

    (entry,) = sql.run("SELECT event, actor, subject, address, request_id FROM audit")
    assert tuple(entry) == ("login", "bruce", "", "127.0.0.1", "the-login")


@pytest.mark.parametrize("user_agent", ["x" * 5000, "Zoë \u00ff", ""])
def test_odd_user_agent_is_shortened(http: HttpClient, sql: Sql, user_agent: str) -> None:
    """At most 200 characters of what a client names itself are stored."""
    sql.add_user("bruce")

    answer = log_in(http, **{"User-Agent": user_agent})

    assert answer.status == 200
    assert sql.value("SELECT user_agent FROM sessions") == user_agent[:200]


@pytest.mark.security
@pytest.mark.parametrize("new", [{}, {"new_password": NEW_PASSWORD}])
@pytest.mark.parametrize("must_change", [False, True])
def test_disabled_user_logs_in_like_a_wrong_password(
    http: HttpClient, sql: Sql, new: dict[str, str], must_change: bool
) -> None:
    """A disabled user gets the answer to a wrong password, no session and no new password."""
    sql.add_user("bruce")
    sql.run("UPDATE users SET disabled_at = now(), must_change_password = $1", must_change)

    answer = http.post("/api/login", json={"username": "bruce", "password": PASSWORD, **new})

    assert (answer.status, answer.json()["detail"]) == (401, "The name or the password is wrong.")
    assert sql.run("SELECT FROM sessions") == []
    assert sql.hash_of_user("bruce") == hash_of(PASSWORD)


def test_admins_token_lives_an_hour(
    http: HttpClient, sql: Sql, verify: Callable[[str], Principal]
) -> None:
    """The token of an admin is valid for an hour only."""
    sql.add_user("admin", is_admin=True)

    principal = verify(token_in(log_in(http, "admin")))

    assert principal.is_admin
    assert abs(principal.expires_at - time.time() - 3600) < 60


def test_lifetimes_are_settings(
    make_backend: MakeBackend, sql: Sql, verify: Callable[[str], Principal]
) -> None:
    """An admin's token is valid for ADMIN_TOKEN_LIFETIME_SECONDS, no token outlives its session."""
    sql.add_user("bruce")
    sql.add_user("admin", is_admin=True)
    backend = make_backend(ADMIN_TOKEN_LIFETIME_SECONDS="300", SESSION_LIFETIME_SECONDS="900")
    backend.start()

    lives = [
        verify(token_in(log_in(backend.http, name))).expires_at - time.time()
        for name in ("admin", "bruce")
    ]

    assert abs(lives[0] - 300) < 60
    assert abs(lives[1] - 900) < 60


@pytest.mark.security
@pytest.mark.parametrize("end", ENDS)
def test_every_endpoint_refuses_a_session_that_is_over(
    http: HttpClient, admin: str, sql: Sql, end: str
) -> None:
    """A token whose session is over, or whose user is gone, is refused by every endpoint."""
    sql.run(ENDS[end])

    answers = {endpoint.handler.__name__: call(http, endpoint, admin) for endpoint in GUARDED}

    assert answers == dict.fromkeys(answers, 401)
    assert len(answers) > 8


@pytest.mark.security
def test_every_endpoint_refuses_the_session_of_another(
    http: HttpClient, sql: Sql, token_maker: TokenMaker
) -> None:
    """A token that names another user's session is refused by every endpoint."""
    session_id = sql.add_session(sql.add_user("stephen"))
    user_id = sql.add_user("bruce", is_admin=True)
    token = token_maker.token("bruce", user_id=user_id, sid=str(session_id), scope="admin")

    answers = {endpoint.handler.__name__: call(http, endpoint, token) for endpoint in GUARDED}

    assert answers == dict.fromkeys(answers, 401)


@pytest.mark.security
def test_demoted_admin_is_none_at_once(http: HttpClient, admin: str, sql: Sql) -> None:
    """A token of an admin who is one no longer opens no admin endpoint, but others."""
    sql.run("UPDATE users SET is_admin = false")

    answers = {endpoint.handler.__name__: call(http, endpoint, admin) for endpoint in FOR_ADMINS}

    assert answers == dict.fromkeys(answers, 403)
    assert http.get("/api/me", token=admin).status == 200


@pytest.mark.security
def test_new_admin_needs_a_token_that_says_so(http: HttpClient, bruce: str, sql: Sql) -> None:
    """A token from before its user became an admin opens no admin endpoint."""
    sql.run("UPDATE users SET is_admin = true")

    answers = {endpoint.handler.__name__: call(http, endpoint, bruce) for endpoint in FOR_ADMINS}

    assert answers == dict.fromkeys(answers, 403)


@pytest.mark.parametrize("path", ["/api/logout", "/api/logout/"])
def test_logout_ends_its_own_session(
    http: HttpClient, tokens: list[str], sql: Sql, path: str
) -> None:
    """After a logout its token is refused at once; the user's other sessions stay open."""
    answer = http.post(path, token=tokens[1])

    assert (answer.status, answer.body) == (204, b"")
    assert statuses(http, tokens) == [200, 401, 200]
    assert audited(sql) == [("logout", "bruce", "")]


@pytest.mark.security
def test_second_logout_is_refused(http: HttpClient, tokens: list[str], sql: Sql) -> None:
    """A user who is logged out cannot log out again, and the session keeps its first end."""
    http.post("/api/logout", token=tokens[0])
    first = sql.value("SELECT ended_at FROM sessions ORDER BY id LIMIT 1")

    answer = http.post("/api/logout", token=tokens[0])

    assert (answer.status, answer.json()["detail"]) == (
        401,
        "The session of this token is over. Log in again.",
    )
    assert "invalid_token" in answer.headers["WWW-Authenticate"]
    assert sql.value("SELECT ended_at FROM sessions ORDER BY id LIMIT 1") == first


@pytest.mark.security
def test_logout_works_as_long_as_its_token(
    http: HttpClient, sql: Sql, token_maker: TokenMaker
) -> None:
    """In the minute for which an expired token is still valid, a logout ends the session."""
    user_id = sql.add_user("bruce")
    session_id = sql.add_session(user_id)
    sql.run("UPDATE sessions SET token_expires_at = now() - interval '5 seconds'")
    expired = int(time.time()) - 5
    token = token_maker.token("bruce", user_id=user_id, sid=str(session_id), exp=expired)

    answer = http.post("/api/logout", token=token)

    assert answer.status == 204
    assert renew(http, token).status == 401
    assert audited(sql) == [("logout", "bruce", "")]


def renew(http: HttpClient, token: str) -> Answer:
    """Ask for a new token."""
    return http.post("/api/me/token/", token=token)


def test_new_token_belongs_to_the_same_session(
    http: HttpClient, tokens: list[str], sql: Sql, verify: Callable[[str], Principal]
) -> None:
    """A renewed token is another one of the same session, and the earlier one stays valid."""
    before = sql.value("SELECT token_id FROM sessions ORDER BY id LIMIT 1")

    answer = renew(http, tokens[0])

    new = token_in(answer)
    assert answer.headers["Cache-Control"] == "no-store"
    assert verify(new).session_id == verify(tokens[0]).session_id
    assert new != tokens[0]
    assert sql.value("SELECT token_id FROM sessions ORDER BY id LIMIT 1") != before
    assert statuses(http, [new, tokens[0]]) == [200, 200]


def test_new_token_has_the_rights_of_now(
    http: HttpClient, tokens: list[str], sql: Sql, verify: Callable[[str], Principal]
) -> None:
    """A renewed token says whether its user is an admin now, and lives accordingly."""
    sql.run("UPDATE users SET is_admin = true")
    raised = verify(token_in(renew(http, tokens[0])))
    sql.run("UPDATE users SET is_admin = false")
    lowered = verify(token_in(renew(http, tokens[0])))

    assert (raised.is_admin, lowered.is_admin) == (True, False)
    assert raised.expires_at < lowered.expires_at - 6 * 3600


def test_tokens_are_renewed_up_to_the_end_of_the_session(
    http: HttpClient, tokens: list[str], sql: Sql, verify: Callable[[str], Principal]
) -> None:
    """A token never outlives its session, and then there is none."""
    sql.run("UPDATE sessions SET expires_at = now() + interval '100 seconds'")
    last = verify(token_in(renew(http, tokens[0])))
    sql.run("UPDATE sessions SET expires_at = now()")

    answer = renew(http, tokens[0])

    assert last.expires_at <= time.time() + 100
    assert answer.status == 401


def test_session_knows_when_its_last_token_ends(
    http: HttpClient, tokens: list[str], sql: Sql
) -> None:
    """A renewal never makes the end of the session's last token earlier: the first is still good.

    The list of ended sessions would forget it too soon.
    """
    first = sql.value("SELECT token_expires_at FROM sessions ORDER BY id LIMIT 1")
    sql.run("UPDATE users SET is_admin = true")

    renew(http, tokens[0])

    assert sql.value("SELECT token_expires_at FROM sessions ORDER BY id LIMIT 1") == first


def listed(http: HttpClient, token: str, **query: object) -> list[dict[str, Any]]:
    """The sessions on a page."""
    answer = http.get("/api/me/sessions/", token=token, query=query)
    assert answer.status == 200
    sessions: list[dict[str, Any]] = answer.json()
    return sessions


def test_sessions_are_listed_newest_first(http: HttpClient, tokens: list[str]) -> None:
    """Users see their sessions, and which of them asks."""
    sessions = listed(http, tokens[1])

    assert [session["current"] for session in sessions] == [False, True, False]
    assert sorted((s["id"] for s in sessions), reverse=True) == [s["id"] for s in sessions]
    assert set(sessions[0]) == {"id", "creation", "expires", "user_agent", "current"}
    assert sessions[0]["expires"].endswith("Z")


@pytest.mark.usefixtures("admin")
def test_only_own_sessions_that_go_on_are_listed(
    http: HttpClient, tokens: list[str], sql: Sql
) -> None:
    """Neither the sessions of others nor those that are over are listed."""
    http.post("/api/logout", token=tokens[0])
    newest = "WHERE id = (SELECT max(id) FROM sessions)"
    for column in ("expires_at", "token_expires_at"):
        log_in(http)
        sql.run(f"UPDATE sessions SET {column} = now() - interval '1 minute' {newest}")  # noqa: S608

    sessions = listed(http, tokens[1])

    assert [session["current"] for session in sessions] == [False, True]


def test_pages_lead_through_all_sessions(http: HttpClient, tokens: list[str]) -> None:
    """The list has the cursors of every list."""
    whole = [session["id"] for session in listed(http, tokens[0])]

    forth = list(walk(http, "/api/me/sessions?limit=1", "next", token=tokens[0]))
    older = http.get(f"/api/me/sessions?max_id={whole[1]}", token=tokens[0])

    assert forth == [[session_id] for session_id in whole]
    assert ids(older) == whole[2:]
    assert ids(http.get(links(older)["prev"], token=tokens[0])) == whole[:2]


def test_user_ends_one_session(http: HttpClient, tokens: list[str], sql: Sql) -> None:
    """A session that its user ends is over at once; it is not there any more."""
    session_id = listed(http, tokens[0])[0]["id"]

    answers = [http.delete(f"/api/me/sessions/{session_id}/", token=tokens[0]) for _ in range(2)]

    assert [answer.status for answer in answers] == [204, 404]
    assert statuses(http, tokens) == [200, 200, 401]
    assert audited(sql) == [("session ended", "bruce", f"session {session_id}")]


@pytest.mark.security
def test_user_cannot_end_the_session_of_another(
    http: HttpClient, tokens: list[str], admin: str, sql: Sql
) -> None:
    """The session of another is not found, even by an admin, and stays open."""
    session_id = listed(http, tokens[0])[0]["id"]

    answer = http.delete(f"/api/me/sessions/{session_id}", token=admin)

    assert answer.status == 404
    assert statuses(http, tokens) == [200, 200, 200]
    assert audited(sql) == []


@pytest.mark.parametrize("path", ["/api/me/sessions", "/api/me/sessions/"])
def test_user_ends_all_other_sessions(
    http: HttpClient, tokens: list[str], admin: str, sql: Sql, path: str
) -> None:
    """All of a user's sessions end but the one that asks; those of others stay open."""
    answer = http.delete(path, token=tokens[1])

    assert (answer.status, answer.body) == (204, b"")
    assert statuses(http, [*tokens, admin]) == [401, 200, 401, 200]
    assert audited(sql) == [("sessions ended", "bruce", "")]


@pytest.mark.security
def test_what_ended_nothing_is_not_recorded(
    http: HttpClient, bruce: str, admin: str, sql: Sql
) -> None:
    """Without other sessions nothing ends and nothing is recorded: nobody can fill the table."""
    ended = [http.delete("/api/me/sessions", token=bruce).status for _ in range(2)]
    for _ in range(2):
        http.delete("/admin/users/1/sessions", token=admin)

    assert ended == [204, 204]
    assert audited(sql) == [("sessions ended", "admin", "bruce")]


@pytest.mark.security
def test_change_of_password_ends_the_other_sessions(
    http: HttpClient, tokens: list[str], admin: str, sql: Sql
) -> None:
    """A user who changes their password stays logged in, there and nowhere else."""
    change = {"password": PASSWORD, "new_password": NEW_PASSWORD}

    answer = http.post("/api/me/password", token=tokens[1], json=change)

    assert answer.status == 204
    assert statuses(http, [*tokens, admin]) == [401, 200, 401, 200]
    assert audited(sql) == [("password changed", "bruce", "")]


def test_refused_change_of_password_ends_nothing(
    http: HttpClient, tokens: list[str], sql: Sql
) -> None:
    """With a wrong password, no session ends, and nothing is recorded as changed."""
    change = {"password": "wrong", "new_password": NEW_PASSWORD}

    http.post("/api/me/password", token=tokens[1], json=change)

    assert statuses(http, tokens) == [200, 200, 200]
    assert ("password changed", "bruce", "") not in audited(sql)


@pytest.mark.security
def test_deletion_ends_all_sessions(
    http: HttpClient, tokens: list[str], admin: str, sql: Sql
) -> None:
    """A deleted user's sessions have ended, so that the other services learn it too."""
    http.delete("/admin/users/1", token=admin)

    assert statuses(http, tokens) == [401, 401, 401]
    assert sql.value("SELECT count(*) FROM sessions WHERE user_id = 1 AND ended_at IS NULL") == 0
    assert audited(sql) == [("user deleted", "admin", "bruce")]


def test_sessions_that_are_over_are_deleted(
    make_backend: MakeBackend, sql: Sql, log_in_by_sql: LogIn
) -> None:
    """A session is kept until its last token has expired by every clock, and then deleted."""
    user_id = sql.add_user("bruce")
    for _ in range(4):
        log_in_by_sql("bruce", user_id)
    live, ended, just_over, over = (
        row["id"] for row in sql.run("SELECT id FROM sessions ORDER BY id")
    )
    sql.run("UPDATE sessions SET ended_at = now() WHERE id = $1", ended)
    expire = "UPDATE sessions SET token_expires_at = now() + $2 WHERE id = $1"
    sql.run(expire, just_over, -timedelta(seconds=1))
    sql.run(expire, over, -timedelta(minutes=10))

    make_backend().start()

    wait_until(lambda: sql.value("SELECT count(*) FROM sessions") == 3)
    kept = [row["id"] for row in sql.run("SELECT id FROM sessions ORDER BY id")]
    assert kept == [live, ended, just_over]
