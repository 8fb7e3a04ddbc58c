"""Idempotency-Key: the same request twice has one effect."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from testkit.http_client import Answer, HttpClient
from testkit.thoughts_sql import Sql
from testkit.waiting import wait_until

PATH = "/api/me/thoughts/"
KEYS_UNDER_WAY = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"


def share(http: HttpClient, token: str, key: str, text: str = "Once.") -> Answer:
    """Share a thought with a key."""
    return http.post(PATH, token=token, json={"text": text}, headers={"Idempotency-Key": key})


def stored(sql: Sql) -> Any:
    """The number of thoughts."""
    return sql.value("SELECT count(*) FROM thoughts")


def test_repeat_answers_what_the_first_did(http: HttpClient, bruce: str, sql: Sql) -> None:
    """A second request with the key gets the same status, location and thought, and no effect."""
    first = share(http, bruce, "key-1")

    second = share(http, bruce, "key-1")

    assert (second.status, second.body) == (201, first.body)
    assert second.headers["Location"] == first.headers["Location"]
    assert stored(sql) == 1


def test_repeat_may_come_as_another_kind_of_body(http: HttpClient, bruce: str, sql: Sql) -> None:
    """Only the text counts, not its encoding: CR LF in a form equals LF in JSON."""
    share(http, bruce, "key-1", "one\ntwo")
    headers = {"Idempotency-Key": "key-1"}

    second = http.post(PATH, token=bruce, form={"text": "one\r\ntwo"}, headers=headers)

    assert second.status == 201
    assert stored(sql) == 1


def test_another_key_is_another_thought(http: HttpClient, bruce: str, sql: Sql) -> None:
    """The same text with another key is shared again; keys are case-sensitive."""
    share(http, bruce, "key")
    share(http, bruce, "KEY")

    assert stored(sql) == 2


def test_key_with_another_text_is_refused(http: HttpClient, bruce: str, sql: Sql) -> None:
    """A key that was used for another text gets 422 and stores nothing."""
    share(http, bruce, "key-1", "one")

    answer = share(http, bruce, "key-1", "two")

    assert answer.status == 422
    assert stored(sql) == 1


def test_refused_text_does_not_use_up_the_key(http: HttpClient, bruce: str) -> None:
    """After a 400 the same key can be sent with a valid text."""
    share(http, bruce, "key-1", "")

    assert share(http, bruce, "key-1", "Better.").status == 201


def test_keys_of_users_are_apart(http: HttpClient, bruce: str, stephen: str, sql: Sql) -> None:
    """Two users may use the same key."""
    share(http, bruce, "key-1", "his")

    answer = share(http, stephen, "key-1", "theirs")

    assert (answer.status, answer.json()["username"]) == (201, "stephen")
    assert stored(sql) == 2


@pytest.mark.parametrize("text", ["Once.", "Another."])
def test_repeat_after_deletion_says_so(http: HttpClient, bruce: str, sql: Sql, text: str) -> None:
    """A thought that has since been deleted is not stored again, and the response says why.

    The text is forgotten, so the response is the same for another text.
    """
    first = share(http, bruce, "key-1")
    http.delete(f"{PATH}{first.json()['id']}/", token=bruce)

    second = share(http, bruce, "key-1", text)

    assert second.status == 410
    assert stored(sql) == 0


def test_key_is_free_after_24_hours(http: HttpClient, bruce: str, sql: Sql) -> None:
    """A day later the key can be used for another text."""
    share(http, bruce, "key-1", "old")
    sql.run("UPDATE idempotency_keys SET answered_at = now() - interval '24 hours 1 second'")

    answer = share(http, bruce, "key-1", "new")

    assert (answer.status, answer.json()["text"]) == (201, "new")


def test_key_holds_for_24_hours(http: HttpClient, bruce: str, sql: Sql) -> None:
    """One minute before the day is over, a repetition still stores nothing."""
    share(http, bruce, "key-1")
    sql.run("UPDATE idempotency_keys SET answered_at = now() - interval '23 hours 59 minutes'")

    share(http, bruce, "key-1")

    assert stored(sql) == 1


def test_key_used_again_after_a_day_holds_for_another(
    http: HttpClient, bruce: str, sql: Sql
) -> None:
    """A key reused after its day is over counts from then on."""
    share(http, bruce, "key-1", "old")
    sql.run("UPDATE idempotency_keys SET answered_at = now() - interval '2 days'")
    second = share(http, bruce, "key-1", "new")

    third = share(http, bruce, "key-1", "new")

    assert third.body == second.body


@pytest.mark.parametrize("key", ["", " ", "a b", "a\tb", "é", "\x7f", "a" * 256])
def test_bad_key_is_refused(http: HttpClient, bruce: str, sql: Sql, key: str) -> None:
    """A key has 1 to 255 visible ASCII characters; any other gets 400 and stores nothing."""
    answer = share(http, bruce, key)

    assert answer.status == 400
    assert stored(sql) == 0


@pytest.mark.parametrize("key", ["!", "~" * 255, "8e03978e-40d5-43dd-bc93-6894a57f9324", '"q"'])
def test_good_key_is_taken(http: HttpClient, bruce: str, key: str) -> None:
    """Any visible ASCII character may be in a key."""
    assert share(http, bruce, key).status == 201


def test_two_keys_are_refused(http: HttpClient, bruce: str) -> None:
    """A request with two Idempotency-Key headers gets 400."""
    body = b'{"text": "a"}'
    request = (
        f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {bruce}\r\n"
        "Content-Type: application/json\r\nIdempotency-Key: a\r\nIdempotency-Key: b\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()

    with http.connection() as connection:
        connection.sendall(request + body)
        answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 400 ")


def test_same_key_at_once_stores_one_thought(http: HttpClient, bruce: str, sql: Sql) -> None:
    """Of twenty simultaneous requests with one key, each gets the same thought or 409."""
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: share(http, bruce, "key-1"), range(20)))

    thoughts = {answer.body for answer in answers if answer.status == 201}
    assert {answer.status for answer in answers} <= {201, 409}
    assert len(thoughts) == 1
    assert stored(sql) == 1


def test_key_under_way_is_a_conflict(http: HttpClient, bruce: str, sql: Sql) -> None:
    """While the first request is in progress, another with its key gets 409 at once."""
    with ThreadPoolExecutor(1) as pool, sql.other() as other:
        other.run("BEGIN")
        other.run("LOCK TABLE thoughts")
        first = pool.submit(share, http, bruce, "key-1")
        wait_until(lambda: sql.value(KEYS_UNDER_WAY) == 1)

        second = share(http, bruce, "key-1")

        other.run("ROLLBACK")
        assert second.status == 409
        assert first.result().status == 201
