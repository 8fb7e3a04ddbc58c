"""Sharing, getting and deleting thoughts."""

from datetime import datetime, timedelta

import pytest

from testkit.http_client import HttpClient
from testkit.thoughts_sql import Sql
from testkit.token_maker import TokenMaker


def test_shared_thought_is_answered_whole(http: HttpClient, bruce: str) -> None:
    """Sharing returns 201 with id, author, text and time of the thought."""
    answer = http.post("/api/me/thoughts/", token=bruce, json={"text": "Be water."})

    assert answer.status == 201
    assert set(answer.json()) == {"id", "username", "text", "timestamp"}
    assert (answer.json()["username"], answer.json()["text"]) == ("bruce", "Be water.")


def test_timestamp_is_the_servers_time_in_utc(http: HttpClient, bruce: str, sql: Sql) -> None:
    """The time of a thought is the database's clock, as RFC 3339 in UTC with a Z."""
    timestamp = http.post("/api/me/thoughts/", token=bruce, json={"text": "Now."}).json()[
        "timestamp"
    ]

    assert timestamp.endswith("Z")
    assert sql.value("SELECT now()") - datetime.fromisoformat(timestamp) < timedelta(minutes=1)


def test_location_leads_to_the_thought(http: HttpClient, bruce: str) -> None:
    """Sharing returns the thought's address in Location."""
    shared = http.post("/api/me/thoughts/", token=bruce, json={"text": "Here."})

    answer = http.get(shared.headers["Location"])

    assert answer.json() == shared.json()


@pytest.mark.parametrize("claimed", ["username", "id", "timestamp", "user_id"])
def test_author_and_time_come_from_the_server(
    http: HttpClient, bruce: str, sql: Sql, claimed: str
) -> None:
    """Fields of the body other than the text have no effect."""
    values = {"username": "stephen", "id": 77, "timestamp": "1990-01-01T00:00:00Z", "user_id": 2}
    body = {"text": "Mine.", claimed: values[claimed]}

    http.post("/api/me/thoughts/", token=bruce, json=body)

    (row,) = sql.run("SELECT id, user_id, username, created_at FROM thoughts")
    assert (row["id"], row["user_id"], row["username"]) == (1, 1, "bruce")
    assert row["created_at"].year > 2000


def test_thought_is_got_by_its_id(http: HttpClient, sql: Sql) -> None:
    """Anyone can get a thought, in the documented form."""
    (thought_id,) = sql.add_thoughts("Be water.")

    answer = http.get(f"/api/thoughts/{thought_id}/")

    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == {
        "id": thought_id,
        "username": "bruce",
        "text": "Be water.",
        "timestamp": "1962-05-11T09:53:41Z",
    }


def test_missing_thought_is_not_found(http: HttpClient) -> None:
    """An unknown id gets 404."""
    assert http.get("/api/thoughts/4711/").status == 404


@pytest.mark.parametrize(
    "bad_id",
    ["0", "-1", "+1", "1.5", "1e3", "abc", "1_0", "0x1", "%201", "%D9%A1", str(2**63), "9" * 500],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/thoughts/"),
        ("DELETE", "/api/me/thoughts/"),
        ("DELETE", "/admin/thoughts/"),
    ],
)
def test_what_is_no_id_is_not_found(
    http: HttpClient, sql: Sql, admin: str, method: str, path: str, bad_id: str
) -> None:
    """Only a positive 64-bit integer in ASCII digits is an id; anything else gets 404."""
    sql.add_thoughts("One.")

    answer = http.request(method, f"{path}{bad_id}/", token=admin)

    assert answer.status == 404
    assert sql.value("SELECT count(*) FROM thoughts") == 1


def test_largest_id_is_looked_up(http: HttpClient) -> None:
    """2^63 - 1 is a valid id."""
    assert http.get(f"/api/thoughts/{2**63 - 1}/").json()["detail"] == (
        "There is no thought with this id."
    )


def test_author_deletes_a_thought(http: HttpClient, sql: Sql, bruce: str) -> None:
    """Deleting one's own thought returns 204 without a body, and it is gone."""
    (thought_id,) = sql.add_thoughts("Gone soon.")

    answer = http.delete(f"/api/me/thoughts/{thought_id}/", token=bruce)

    assert (answer.status, answer.body) == (204, b"")
    assert http.get(f"/api/thoughts/{thought_id}/").status == 404


def test_another_user_cannot_delete_a_thought(http: HttpClient, sql: Sql, stephen: str) -> None:
    """Somebody else's thought gets 404 and stays."""
    (thought_id,) = sql.add_thoughts("Mine.")

    answer = http.delete(f"/api/me/thoughts/{thought_id}/", token=stephen)

    assert answer.status == 404
    assert http.get(f"/api/thoughts/{thought_id}/").status == 200


def test_same_name_with_another_id_is_another_user(
    http: HttpClient, sql: Sql, token_maker: TokenMaker
) -> None:
    """Ownership depends on the user's id, not on the name in the token."""
    (thought_id,) = sql.add_thoughts("Mine.", username="bruce", user_id=1)
    namesake = token_maker.token("bruce", user_id=5)

    answer = http.delete(f"/api/me/thoughts/{thought_id}/", token=namesake)

    assert answer.status == 404


def test_admin_deletes_anybodys_thought(http: HttpClient, sql: Sql, admin: str) -> None:
    """An admin may delete a thought that is not theirs."""
    (thought_id,) = sql.add_thoughts("Rude.")

    answer = http.delete(f"/admin/thoughts/{thought_id}/", token=admin)

    assert answer.status == 204
    assert sql.value("SELECT count(*) FROM thoughts") == 0


def test_admin_deleting_what_is_gone_is_content(http: HttpClient, admin: str) -> None:
    """Deleting as an admin returns 204 even if there is no such thought."""
    assert http.delete("/admin/thoughts/4711/", token=admin).status == 204


def test_user_may_not_delete_as_an_admin(http: HttpClient, sql: Sql, bruce: str) -> None:
    """The admin's path returns 403 to a user, even for the user's own thought."""
    (thought_id,) = sql.add_thoughts("Mine.")

    answer = http.delete(f"/admin/thoughts/{thought_id}/", token=bruce)

    assert answer.status == 403
    assert sql.value("SELECT count(*) FROM thoughts") == 1


def test_ids_are_never_used_again(http: HttpClient, sql: Sql, bruce: str) -> None:
    """The thought after a deleted one has a higher id."""
    first = http.post("/api/me/thoughts/", token=bruce, json={"text": "One."}).json()["id"]
    http.delete(f"/api/me/thoughts/{first}/", token=bruce)

    second = http.post("/api/me/thoughts/", token=bruce, json={"text": "Two."}).json()["id"]

    assert second > first
