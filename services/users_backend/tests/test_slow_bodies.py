"""Callers who lose their rights while the service waits for the body of their request."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from testkit.http_client import HttpClient, read_answer
from testkit.users_sql import PASSWORD, Sql, hash_of

pytestmark = pytest.mark.security

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@contextmanager
def begun(
    http: HttpClient, method: str, path: str, token: str, fields: object
) -> Iterator[Callable[[], bytes]]:
    """A request whose body the service waits for; the function sends it and returns the answer."""
    body = json.dumps(fields).encode()
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: backend\r\nConnection: close\r\n"
        f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
    )
    with http.connection() as connection:

        def finish() -> bytes:
            connection.sendall(body)
            return read_answer(connection)

        connection.sendall(head.encode())
        assert connection.recv(len(CONTINUE), socket.MSG_WAITALL) == CONTINUE
        yield finish


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ("UPDATE users SET is_admin = false", b"403"),
        ("UPDATE users SET disabled_at = now()", b"401"),
    ],
)
def test_admin_who_is_demoted_meanwhile_changes_nothing(
    http: HttpClient, admin: str, sql: Sql, change: str, status: bytes
) -> None:
    """A former admin cannot restore their rights with a request that was begun before."""
    wanted = {"is_admin": True, "is_disabled": False}

    with begun(http, "PATCH", "/admin/users/1", admin, wanted) as finish:
        sql.run(change)
        before = sql.run("SELECT * FROM users")
        answer = finish()

    assert answer.startswith(b"HTTP/1.1 " + status)
    assert sql.run("SELECT * FROM users") == before


def test_session_that_ends_meanwhile_sets_no_password(
    http: HttpClient, bruce: str, sql: Sql
) -> None:
    """After a logout, a change of the password that was begun before is refused."""
    passwords = {"password": PASSWORD, "new_password": "be water, my friend"}

    with begun(http, "POST", "/api/me/password", bruce, passwords) as finish:
        assert http.post("/api/logout", token=bruce).status == 204
        answer = finish()

    assert answer.startswith(b"HTTP/1.1 401")
    assert sql.hash_of_user("bruce") == hash_of(PASSWORD)
