"""The list of the audit log; what is recorded is tested with what is done."""

import re

import pytest

from testkit.http_client import HttpClient
from testkit.service_process import ServiceProcess
from testkit.users_sql import PASSWORD, Sql


def test_entries_say_who_what_when_and_from_where(http: HttpClient, admin: str, sql: Sql) -> None:
    """An entry has the event, actor and subject, and the request's time, address and id."""
    sql.add_user("bruce")
    http.delete("/admin/users/2", token=admin, headers={"X-Request-ID": "the-deletion"})

    answer = http.get("/admin/audit/", token=admin)

    (entry,) = answer.json()
    assert entry.pop("timestamp").endswith("Z")
    assert entry.pop("id") > 0
    assert entry == {
        "event": "user deleted",
        "actor": "admin",
        "subject": "bruce",
        "address": "127.0.0.1",
        "request_id": "the-deletion",
    }


def test_list_has_logins_good_and_failed(http: HttpClient, admin: str, sql: Sql) -> None:
    """Good and failed logins are in the list, newest first, the failed ones by what was typed."""
    sql.add_user("bruce")
    http.post("/api/login", json={"username": "bruce", "password": PASSWORD})
    http.post("/api/login", json={"username": "BRUCE", "password": "wrong"})
    http.post("/api/login", json={"username": "nobody", "password": "wrong"})

    entries = http.get("/admin/audit", token=admin).json()

    assert [(entry["event"], entry["actor"]) for entry in entries] == [
        ("login failed", "nobody"),
        ("login failed", "BRUCE"),
        ("login", "bruce"),
    ]


def test_reading_is_recorded(http: HttpClient, admin: str, sql: Sql) -> None:
    """Every GET below /admin is an entry: who has looked, for what, and from where."""
    paths = http.get("/schema/openapi.json").json()["paths"]
    reads = [path for path, ways in paths.items() if path.startswith("/admin/") and "get" in ways]
    bruce_id = sql.add_user("bruce")

    for path in reads:
        http.get(path.format(user_id=bruce_id) + "?search=bru", token=admin)

    assert sorted(sql.audited()) == [
        ("audit log read", "admin", ""),
        ("user read", "admin", "bruce"),
        ("users listed", "admin", "bru"),
    ]
    assert len(reads) == 3


def test_subject_is_empty_where_it_is_the_actor(http: HttpClient, admin: str, sql: Sql) -> None:
    """Events that admins cause for themselves name them only once."""
    admin_id = sql.value("SELECT id FROM users WHERE username = 'admin'")

    http.get(f"/admin/users/{admin_id}", token=admin)
    http.delete(f"/admin/users/{admin_id}/sessions", token=admin)

    assert sql.audited() == [("user read", "admin", ""), ("sessions ended", "admin", "")]


def test_what_cannot_be_recorded_is_not_shown(http: HttpClient, admin: str, sql: Sql) -> None:
    """While the log takes no entries, admins see nothing."""
    sql.run("ALTER TABLE audit ADD CONSTRAINT refuse CHECK (false) NOT VALID")
    try:
        statuses = [http.get(f"/admin/{name}", token=admin).status for name in ("users", "audit")]
    finally:
        sql.run("ALTER TABLE audit DROP CONSTRAINT refuse")

    assert statuses == [500, 500]


def test_refused_user_is_in_the_log(
    http: HttpClient, backend: ServiceProcess, bruce: str, sql: Sql
) -> None:
    """Users who try what only admins may do are logged, but cannot fill the table."""
    headers = {"X-Request-ID": "no-admin"}

    http.delete("/admin/users/17", token=bruce, headers=headers)

    line = backend.wait_for_line("audit", request_id="no-admin")
    assert (line["what"], line["actor"]) == ("refused", "bruce")
    assert (line["subject"], line["address"]) == ("DELETE /admin/users/{user_id}", "127.0.0.1")
    assert sql.audited() == []


def test_pages_lead_through_the_log(http: HttpClient, admin: str, sql: Sql) -> None:
    """Following rel="next" shows every entry once."""
    for number in range(5):
        sql.run(
            "INSERT INTO audit (event, actor, subject, address, request_id) "
            "VALUES ('login', $1, '', '', '')",
            str(number),
        )

    seen, path = [], "/admin/audit/?limit=2"
    while path:
        answer = http.get(path, token=admin)
        seen += [entry["actor"] for entry in answer.json()]
        found = re.search(r'<([^>]*)>; rel="next"', answer.headers["Link"])
        path = found[1] if found else ""

    assert seen == ["4", "3", "2", "1", "0"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nobody_changes_the_log(http: HttpClient, admin: str, method: str) -> None:
    """The API has no way to change an entry or to delete one."""
    assert http.request(method, "/admin/audit", token=admin, json={}).status == 405
    assert http.request(method, "/admin/audit/1", token=admin, json={}).status == 404
