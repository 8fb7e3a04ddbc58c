"""What is deleted is gone for everybody, for good: the thought and what was stored with it."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from services.thoughts_backend.tests.conftest import MakeBackend
from testkit.http_client import Answer, HttpClient
from testkit.thoughts_sql import Sql
from testkit.waiting import wait_until

pytestmark = pytest.mark.security

PATH = "/api/me/thoughts/"
TEXT = "A secret that slipped out"


def share(http: HttpClient, token: str, key: str, text: str = TEXT) -> Answer:
    """Share a thought with a key."""
    return http.post(PATH, token=token, json={"text": text}, headers={"Idempotency-Key": key})


def remains(sql: Sql) -> list[str]:
    """The tables with a row in which the text or the author's name occurs."""
    tables = ("thoughts", "idempotency_keys", "share_counts")
    return [
        table
        for table in tables
        if sql.run(f"SELECT FROM {table} WHERE {table}::text ~* 'secret|bruce' LIMIT 1")
    ]


def add_many(sql: Sql, count: int) -> None:
    """Store thoughts of bruce, each beside one of stephen."""
    sql.run(
        "INSERT INTO thoughts (user_id, username, text) "
        "SELECT author + 1, (ARRAY['bruce', 'stephen'])[author + 1], 'a secret' "
        "FROM generate_series(1, $1), generate_series(0, 1) author",
        count,
    )


def own_thoughts(sql: Sql) -> Any:
    """The number of bruce's thoughts."""
    return sql.value("SELECT count(*) FROM thoughts WHERE user_id = 1")


@pytest.mark.parametrize("path", [PATH, "/admin/thoughts/"])
def test_deleting_a_thought_clears_its_stored_answer(
    http: HttpClient, bruce: str, admin: str, sql: Sql, path: str
) -> None:
    """Whether the author or an admin deletes it, neither text nor name remains in any table."""
    thought_id = share(http, bruce, "key-1").json()["id"]
    assert remains(sql) == ["thoughts", "idempotency_keys"]

    http.delete(f"{path}{thought_id}/", token=bruce if path == PATH else admin)

    assert remains(sql) == []


def test_deleting_clears_no_other_answer(http: HttpClient, bruce: str, sql: Sql) -> None:
    """The answers for other thoughts stay, and are given again."""
    first, second = share(http, bruce, "one"), share(http, bruce, "two")

    http.delete(f"{PATH}{first.json()['id']}/", token=bruce)

    assert share(http, bruce, "two").body == second.body


def test_another_user_clears_nothing(http: HttpClient, bruce: str, stephen: str) -> None:
    """Trying to delete somebody else's thought leaves its stored answer as it is."""
    first = share(http, bruce, "one")

    http.delete(f"{PATH}{first.json()['id']}/", token=stephen)

    assert share(http, bruce, "one").body == first.body


def test_all_own_thoughts_are_deleted(http: HttpClient, bruce: str, stephen: str, sql: Sql) -> None:
    """All of the caller's thoughts and stored answers go, and nobody else's."""
    share(http, bruce, "one")
    share(http, stephen, "one", "Of stephen")
    sql.add_thoughts("An older one of bruce")

    answer = http.delete(PATH, token=bruce)

    assert (answer.status, answer.body) == (204, b"")
    assert remains(sql) == []
    assert [thought["text"] for thought in http.get("/api/thoughts/").json()] == ["Of stephen"]
    assert share(http, bruce, "one").status == 410
    assert share(http, stephen, "one", "Of stephen").status == 201


def test_deleting_all_can_be_repeated(http: HttpClient, bruce: str, sql: Sql) -> None:
    """Without thoughts the answer is the same, and nothing is recorded."""
    assert http.delete(PATH, token=bruce).status == 204
    assert sql.value("SELECT count(*) FROM audit") == 0


def test_deleting_all_needs_a_token(http: HttpClient, sql: Sql) -> None:
    """Without a token the answer is 401, and nothing is deleted."""
    sql.add_thoughts("Stays")

    assert http.delete(PATH).status == 401
    assert sql.value("SELECT count(*) FROM thoughts") == 1


def test_many_thoughts_are_deleted(http: HttpClient, bruce: str, sql: Sql) -> None:
    """More thoughts than one transaction deletes go too, in as many requests as it takes."""
    add_many(sql, 25_000)

    wait_until(lambda: http.delete(PATH, token=bruce).status == 204)

    assert sql.run("SELECT username, count(*) FROM thoughts GROUP BY 1") == [("stephen", 25_000)]
    assert sql.value("SELECT count(*) FROM audit WHERE event = 'thoughts deleted'") >= 1


def test_interrupted_deletion_keeps_what_it_did(http: HttpClient, bruce: str, sql: Sql) -> None:
    """If the time is up, the answer is 503; a repeat continues from there to the end.

    No answer is left for the thoughts that are gone.
    """
    assert share(http, bruce, "one").status == 201
    add_many(sql, 14_999)
    last: Any = sql.value("SELECT max(id) FROM thoughts WHERE user_id = 1")
    with sql.other() as other:
        other.run("BEGIN")
        other.run("SELECT FROM thoughts WHERE id = $1 FOR UPDATE", last)

        wait_until(lambda: _interrupted_deletion(http, bruce) and own_thoughts(sql) == 5_000)
        assert not sql.run("SELECT FROM idempotency_keys WHERE text <> ''")

        other.run("ROLLBACK")
    wait_until(lambda: http.delete(PATH, token=bruce).status == 204)
    assert own_thoughts(sql) == 0


@pytest.mark.parametrize("is_of_all", [False, True], ids=["one", "all"])
def test_deletions_lock_thoughts_before_answers(
    http: HttpClient, bruce: str, sql: Sql, is_of_all: bool
) -> None:
    """Two that delete the same thought at the same time do not wait for each other."""
    thought_id = share(http, bruce, "one").json()["id"]
    path = PATH if is_of_all else f"{PATH}{thought_id}/"
    with sql.other() as other, ThreadPoolExecutor() as pool:
        other.run("BEGIN")
        other.run("SELECT FROM idempotency_keys FOR UPDATE")
        try:
            answer = pool.submit(http.delete, path, token=bruce)
            wait_until(lambda: not sql.run("SELECT FROM thoughts FOR UPDATE SKIP LOCKED"))
        finally:
            other.run("ROLLBACK")

    assert answer.result().status in (204, 503)


def _interrupted_deletion(http: HttpClient, token: str) -> bool:
    answer = http.delete(PATH, token=token)
    return (answer.status, answer.headers["Retry-After"]) == (503, "1")


def test_old_answers_are_deleted_without_new_ones(
    make_backend: MakeBackend, bruce: str, sql: Sql
) -> None:
    """Stored answers older than a day are deleted though nobody shares; newer ones stay."""
    sql.run(
        "INSERT INTO idempotency_keys "
        "SELECT 1, id::text, now() - id * interval '1 hour', id, 'bruce', 'a secret', now() "
        "FROM generate_series(1, 2500) id"
    )
    make_backend().start()

    wait_until(lambda: sql.value("SELECT count(*) FROM idempotency_keys") == 23)
    assert sql.value("SELECT max(thought_id) FROM idempotency_keys") == 23
