"""The audit log: what admins delete, and who deletes everything of their own."""

from typing import Any

import pytest

from testkit.http_client import HttpClient
from testkit.service_process import ServiceProcess
from testkit.thoughts_sql import Sql

pytestmark = pytest.mark.security

AUDIT = "/admin/audit/"


def entries(http: HttpClient, admin: str, query: str = "") -> list[dict[str, Any]]:
    """The entries of the log, newest first."""
    answer = http.get(AUDIT + query, token=admin)
    assert answer.status == 200
    return list(answer.json())


def test_deletion_by_an_admin_is_recorded(http: HttpClient, admin: str, sql: Sql) -> None:
    """The entry says who deleted whose thought, when, from where and in which request."""
    (thought_id,) = sql.add_thoughts("Rude.", username="bruce")

    http.delete(f"/admin/thoughts/{thought_id}/", token=admin, headers={"X-Request-ID": "id-1"})

    (entry,) = entries(http, admin)
    assert entry.pop("timestamp").endswith("Z")
    assert entry == {
        "id": 1,
        "event": "thought deleted",
        "actor": "admin",
        "subject": f"thought {thought_id} by bruce",
        "address": "127.0.0.1",
        "request_id": "id-1",
    }


def test_recorded_event_is_a_log_line(
    http: HttpClient, backend: ServiceProcess, admin: str, sql: Sql
) -> None:
    """The same event stands in the service's log."""
    (thought_id,) = sql.add_thoughts("Rude.", username="bruce")

    http.delete(f"/admin/thoughts/{thought_id}/", token=admin)

    line = backend.wait_for_line("audit", subject=f"thought {thought_id} by bruce")
    assert (line["what"], line["actor"]) == ("thought deleted", "admin")


def test_deletion_of_what_is_gone_is_not_recorded(http: HttpClient, admin: str) -> None:
    """An admin who deletes a thought that does not exist has done nothing."""
    http.delete("/admin/thoughts/4711/", token=admin)

    assert entries(http, admin) == []


def test_own_deletion_is_not_recorded(http: HttpClient, admin: str, bruce: str, sql: Sql) -> None:
    """Users who delete a thought of their own do not appear in the log."""
    (thought_id,) = sql.add_thoughts("Mine.")

    http.delete(f"/api/me/thoughts/{thought_id}/", token=bruce)

    assert entries(http, admin) == []


def test_deletion_of_all_own_thoughts_is_recorded_once(
    http: HttpClient, admin: str, bruce: str, sql: Sql
) -> None:
    """Deleting everything, as with an account, is one entry."""
    sql.add_thoughts("One.", "Two.")

    http.delete("/api/me/thoughts/", token=bruce)

    assert [(entry["event"], entry["actor"]) for entry in entries(http, admin)] == [
        ("thoughts deleted", "bruce")
    ]


def test_deletion_that_cannot_be_recorded_does_not_happen(
    http: HttpClient, admin: str, sql: Sql
) -> None:
    """Deletion and entry are one transaction."""
    (thought_id,) = sql.add_thoughts("Rude.")
    sql.run("ALTER TABLE audit ADD CONSTRAINT refuse CHECK (false) NOT VALID")
    try:
        answer = http.delete(f"/admin/thoughts/{thought_id}/", token=admin)
    finally:
        sql.run("ALTER TABLE audit DROP CONSTRAINT refuse")

    assert answer.status == 500
    assert sql.value("SELECT count(*) FROM thoughts") == 1


def test_log_has_pages(http: HttpClient, admin: str, sql: Sql) -> None:
    """The log is listed newest first, with the cursors of every list."""
    for thought_id in sql.add_thoughts(*"abcde"):
        http.delete(f"/admin/thoughts/{thought_id}/", token=admin)

    first = http.get(f"{AUDIT}?limit=2", token=admin)

    assert [entry["id"] for entry in first.json()] == [5, 4]
    assert 'max_id=4>; rel="next"' in first.headers["Link"]
    assert [entry["id"] for entry in entries(http, admin, "?limit=2&max_id=4")] == [3, 2]
    assert [entry["id"] for entry in entries(http, admin, "?limit=2&min_id=1")] == [3, 2]
    newer = [entry["event"] for entry in entries(http, admin, "?since_id=4")]
    assert newer == ["audit log read"] * 3 + ["thought deleted"]


def test_reading_the_log_is_recorded(http: HttpClient, admin: str) -> None:
    """The next reader sees who has read it."""
    entries(http, admin)

    (entry,) = entries(http, admin)
    assert (entry["event"], entry["actor"]) == ("audit log read", "admin")


def test_log_is_for_admins(http: HttpClient, bruce: str) -> None:
    """Nobody else may read the log: 401 without a token, 403 for a user."""
    assert http.get(AUDIT).status == 401
    assert http.get(AUDIT, token=bruce).status == 403
