"""Typed clients of the two backends; they raise only the errors in `errors.py`."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, NamedTuple, NoReturn, TypeVar
from urllib.parse import urlencode

import msgspec

from frontend.backends.cursors import THOUGHTS_A_PAGE, Cursor, neighbours
from frontend.backends.errors import BackendRefused, ThoughtDeleted, Unauthorized
from frontend.backends.connection import Answer
from frontend.backends.http_client import HttpClient
from mythoughts_chassis.settings import Secret

CONFLICT_PAUSE_SECONDS = 0.2

T = TypeVar("T")


# msgspec's errors for invalid JSON or UTF-8, too deep nesting, or an unexpected shape.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Thought(msgspec.Struct, frozen=True):
    """One thought; `timestamp` has a time zone."""

    id: int
    username: str
    text: str
    timestamp: Annotated[datetime, msgspec.Meta(tz=True)]


class ThoughtPage(NamedTuple):
    """A page of a list, newest first, with the cursors of the neighbouring pages.

    A search that takes too long ends early: its page has few thoughts or none, but its cursors
    lead to the rest.
    """

    thoughts: list[Thought]
    older: Cursor | None
    newer: Cursor | None


class Caller(NamedTuple):
    """On whose behalf a backend is called: the access token (may be empty) and the language."""

    token: str
    language: str

    @property
    def headers(self) -> dict[str, str]:
        """The caller as request headers."""
        headers = {"Accept": "application/json", "Accept-Language": self.language}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        return headers


class _LoginAnswer(msgspec.Struct):
    authorized: str = msgspec.field(name="Authorized")


class _Problem(msgspec.Struct):
    detail: str = ""


_decode_thoughts = msgspec.json.Decoder(list[Thought]).decode
_decode_thought = msgspec.json.Decoder(Thought).decode
_decode_login = msgspec.json.Decoder(_LoginAnswer).decode
_decode_problem = msgspec.json.Decoder(_Problem).decode


def _decoded(client: HttpClient, answer: Answer, status: int, decode: Callable[[bytes], T]) -> T:
    """Return the decoded body if the answer has this status; otherwise raises a `BackendError`."""
    if answer.status != status:
        _raise(client, answer)
    try:
        return decode(answer.body)
    except UNREADABLE as error:
        raise client.away("bad_answer", f"an answer that does not parse: {error}") from error


def _raise(client: HttpClient, answer: Answer) -> NoReturn:
    """Raise the `BackendError` for an unexpected answer."""
    if answer.status == 401:
        raise Unauthorized
    if answer.status == 410:
        raise ThoughtDeleted
    if answer.status == 400:
        raise BackendRefused(_decoded_problem(answer.body))
    raise client.away("bad_answer", f"status {answer.status}")


def _decoded_problem(body: bytes) -> str:
    try:
        return _decode_problem(body).detail
    except UNREADABLE:
        return ""


class ThoughtsBackend:
    """The Thoughts Backend. Every method may raise any `BackendError`."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def own_thoughts(self, caller: Caller, cursor: Cursor | None) -> ThoughtPage:
        """Return a page of the caller's own thoughts."""
        return self._list("/api/me/thoughts/", caller, {}, cursor)

    def search(
        self, caller: Caller, *, search: str, username: str, cursor: Cursor | None
    ) -> ThoughtPage:
        """Return a page of everybody's thoughts; empty filters match everything."""
        filters = {"search": search, "username": username}
        return self._list("/api/thoughts/", caller._replace(token=""), filters, cursor)

    def find_thought(self, caller: Caller, thought_id: int) -> Thought | None:
        """Return the thought with this id, or None if there is none."""
        answer = self._client.call(
            "GET", f"/api/thoughts/{thought_id}/", headers=caller._replace(token="").headers
        )
        if answer.status == 404:
            return None
        return _decoded(self._client, answer, 200, _decode_thought)

    def share(self, caller: Caller, *, text: str, idempotency_key: str) -> None:
        """Store a thought, once per key."""
        headers = {
            **caller.headers,
            "Content-Type": "application/json",
            "Idempotency-Key": idempotency_key,
        }
        body = msgspec.json.encode({"text": text})
        answer = self._client.call("POST", "/api/me/thoughts/", headers=headers, body=body)
        if answer.status == 409:
            # The first request of a double click is still in progress.
            time.sleep(CONFLICT_PAUSE_SECONDS)
            answer = self._client.call("POST", "/api/me/thoughts/", headers=headers, body=body)
        if answer.status != 201:
            _raise(self._client, answer)

    def delete(self, caller: Caller, thought_id: int) -> None:
        """Delete one of the caller's thoughts; no error if it is already gone."""
        answer = self._client.call(
            "DELETE", f"/api/me/thoughts/{thought_id}/", headers=caller.headers
        )
        if answer.status not in (204, 404):
            _raise(self._client, answer)

    def _list(
        self, path: str, caller: Caller, filters: Mapping[str, str], cursor: Cursor | None
    ) -> ThoughtPage:
        is_going_back = cursor is not None and cursor.name == "min_id"
        parameters = {name: value for name, value in filters.items() if value}
        # When paging back, one extra thought shows whether there are even newer ones.
        parameters["limit"] = str(THOUGHTS_A_PAGE + is_going_back)
        parameters.update(cursor.parameters if cursor else {})
        answer = self._client.call("GET", f"{path}?{urlencode(parameters)}", headers=caller.headers)
        thoughts = _decoded(self._client, answer, 200, _decode_thoughts)
        shown = thoughts[-THOUGHTS_A_PAGE:]
        older, newer = neighbours(answer.headers.get("link", ""), cursor)
        if is_going_back and shown:
            after_shown = Cursor("min_id", str(shown[0].id))
            if len(thoughts) > len(shown):
                newer = after_shown
            elif newer == after_shown:
                # There are no newer thoughts; a search that ended early has a different cursor.
                newer = None
        return ThoughtPage(shown, older, newer)


class UsersBackend:
    """The Users Backend. Every method may raise `BackendAway`."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def log_in(self, caller: Caller, *, username: str, password: Secret) -> str | None:
        """Return a token, or None if the name or password is wrong."""
        headers = {**caller._replace(token="").headers, "Content-Type": "application/json"}
        body = msgspec.json.encode({"username": username, "password": password.reveal()})
        answer = self._client.call("POST", "/api/login/", headers=headers, body=body)
        # 400: the name or password is malformed, for example empty.
        if answer.status in (400, 401):
            return None
        authorized = _decoded(self._client, answer, 200, _decode_login).authorized
        scheme, _, token = authorized.partition(" ")
        if scheme != "Bearer" or not token:
            raise self._client.away("bad_answer", "a login answer without a token")
        return token
