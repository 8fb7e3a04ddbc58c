"""The list of ended sessions that the Users Backend publishes for all verifiers."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from mythoughts_chassis.keys import read_key_set
from mythoughts_chassis.status_lists import PATH, StatusList, read
from services.users_backend.tests.conftest import Opened
from testkit.http_client import HttpClient
from testkit.token_maker import TokenMaker
from testkit.users_sql import Sql
from testkit.waiting import wait_until
from users_backend import ended_sessions, session_queries

ReadList = Callable[[], StatusList]


@pytest.fixture
def read_list(http: HttpClient, token_maker: TokenMaker) -> ReadList:
    """A function that fetches the list and verifies it as other services do."""

    def fetch() -> StatusList:
        return verified(http.get(PATH).json()["jwt"], token_maker)

    return fetch


def verified(token: str, token_maker: TokenMaker) -> StatusList:
    """The list in a JWT, which the keys of the tokens have signed."""
    return read(token, read_key_set(token_maker.public_path), "mythoughts")


def test_logout_is_published(http: HttpClient, sql: Sql, bruce: str, read_list: ReadList) -> None:
    """A session is in the list after its logout, and not before; other sessions are not."""
    session_id = sql.value("SELECT id FROM sessions")
    other_id = sql.add_session(sql.value("SELECT id FROM users"))
    before = read_list()

    assert http.post("/api/logout", token=bruce).status == 204
    wait_until(lambda: read_list().has_ended(session_id))

    assert not before.has_ended(session_id)
    assert not read_list().has_ended(other_id)


def test_list_is_public(http: HttpClient) -> None:
    """Anybody may read it; caches ask each time whether it is still the same."""
    answer = http.get(PATH)

    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-cache"


def test_unchanged_list_is_not_sent_again(http: HttpClient, sql: Sql, bruce: str) -> None:
    """A verifier that has the list gets 304 until a session ends."""
    etag = ""

    def is_unchanged() -> bool:
        nonlocal etag
        answer = http.get(PATH, headers={"If-None-Match": etag})
        etag = answer.headers["ETag"]
        return (answer.status, answer.body) == (304, b"")

    # Not the first time, and not whenever it has just been signed again.
    wait_until(is_unchanged)
    http.post("/api/logout", token=bruce)
    wait_until(lambda: http.get(PATH, headers={"If-None-Match": etag}).status == 200)


@pytest.mark.parametrize(
    ("expired_seconds_ago", "is_listed"), [(-3600, True), (100, True), (130, False)]
)
def test_list_has_only_sessions_that_may_have_tokens(
    sql: Sql, bruce: str, read_list: ReadList, expired_seconds_ago: int, is_listed: bool
) -> None:
    """An ended session is listed until no verifier believes its last token any more.

    A verifier whose clock is a minute late believes it for two minutes.
    """
    session_id = sql.value("SELECT id FROM sessions")
    marker = sql.add_session(sql.value("SELECT id FROM users"))
    sql.run(
        "UPDATE sessions SET ended_at = now(), "
        "token_expires_at = now() - $1 * interval '1 second' WHERE id = $2",
        expired_seconds_ago,
        session_id,
    )
    sql.run("UPDATE sessions SET ended_at = now() WHERE id = $1", marker)
    wait_until(lambda: read_list().has_ended(marker))

    assert read_list().has_ended(session_id) == is_listed


def test_late_commit_is_published(sql: Sql, bruce: str, read_list: ReadList) -> None:
    """A session that ended in a long transaction is listed once that has been committed."""
    session_id = sql.value("SELECT id FROM sessions")
    user_id = sql.value("SELECT id FROM users")
    with sql.other() as late:
        late.run("BEGIN")
        late.run("UPDATE sessions SET ended_at = now() WHERE id = $1", session_id)
        later = sql.add_session(user_id)
        sql.run("UPDATE sessions SET ended_at = now() WHERE id = $1", later)
        wait_until(lambda: read_list().has_ended(later))
        before = read_list()
        late.run("COMMIT")

    wait_until(lambda: read_list().has_ended(session_id))
    assert not before.has_ended(session_id)


def test_sessions_far_apart_are_listed(sql: Sql, bruce: str, read_list: ReadList) -> None:
    """The list has old and new sessions, however many are between them, and nothing between."""
    user_id = sql.value("SELECT id FROM users")
    ids = [sql.add_session(user_id) for _ in range(20)]
    sql.run("UPDATE sessions SET ended_at = now() WHERE id = ANY($1)", ids[::7])

    wait_until(lambda: read_list().has_ended(ids[14]))

    assert [i for i in range(ids[0] - 9, ids[-1] + 9) if read_list().has_ended(i)] == ids[::7]


def test_requests_share_one_look_at_the_database(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred requests at once, and more within a second, read the sessions once."""
    monkeypatch.setattr(ended_sessions, "SHARED_SECONDS", 3600.0)
    fetch = session_queries.fetch_ended_sessions
    looks: list[Any] = []

    async def counted(database: Any) -> tuple[float, list[int]]:
        looks.append(1)
        return await fetch(database)

    monkeypatch.setattr(session_queries, "fetch_ended_sessions", counted)

    async def ask() -> set[str]:
        async with opened() as parts:
            made = ended_sessions.EndedSessionsList(
                parts.database, parts.ended_sessions._private_keys, issuer="mythoughts"
            )
            answers = await asyncio.gather(*(made.signed() for _ in range(100)))
            return {*answers, await made.signed()}

    answers = asyncio.run(ask())

    assert (len(looks), len(answers)) == (1, 1)


@pytest.mark.parametrize(("sign_again_seconds", "same"), [(3600.0, True), (0.0, False)])
def test_unchanged_list_is_signed_again_before_it_is_old(
    opened: Opened,
    token_maker: TokenMaker,
    monkeypatch: pytest.MonkeyPatch,
    sign_again_seconds: float,
    same: bool,
) -> None:
    """An unchanged list stays the same for a while, and then has a new time."""
    monkeypatch.setattr(ended_sessions, "SHARED_SECONDS", 0.0)
    monkeypatch.setattr(ended_sessions, "SIGN_AGAIN_SECONDS", sign_again_seconds)

    async def ask_twice() -> tuple[str, str]:
        async with opened() as parts:
            return await parts.ended_sessions.signed(), await parts.ended_sessions.signed()

    first, second = (verified(token, token_maker) for token in asyncio.run(ask_twice()))

    assert first.bits == second.bits
    assert (first.issued_at == second.issued_at) == same
    assert first.issued_at <= second.issued_at


def test_time_of_a_list_is_that_of_the_database(
    http: HttpClient, sql: Sql, bruce: str, read_list: ReadList
) -> None:
    """Lists of several replicas have one order."""
    before = sql.value("SELECT extract(epoch FROM now())::float8")
    session_id = sql.value("SELECT id FROM sessions")
    http.post("/api/logout", token=bruce)
    wait_until(lambda: read_list().has_ended(session_id))
    after = sql.value("SELECT extract(epoch FROM now())::float8")

    assert before <= read_list().issued_at <= after
