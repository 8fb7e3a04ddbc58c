"""The two backends as the pages see them; calls raise only the errors in `errors.py`."""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, NamedTuple, TypeVar
from urllib.parse import urlencode

import msgspec

from frontend.backends.connection import Answer, Request
from frontend.backends.cursors import THOUGHTS_A_PAGE, Cursor, neighbours
from frontend.backends.errors import BackendRefused, ThoughtDeleted, Unauthorized
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
        return self._list("/api/thoughts/", caller, filters, cursor)

    def find_thought(self, caller: Caller, thought_id: int) -> Thought | None:
        """Return the thought with this id, or None if there is none."""
        target = f"/api/thoughts/{thought_id}/"
        answer = self._client.call(Request("GET", target, caller.headers))
        if answer.status == 404:
            return None
        return _decoded(self._client, answer, Thought)

    def share(self, caller: Caller, *, text: str, idempotency_key: str) -> None:
        """Store a thought, once per key."""
        headers = {
            **caller.headers,
            "Content-Type": "application/json",
            "Idempotency-Key": idempotency_key,
        }
        body = msgspec.json.encode({"text": text})
        request = Request("POST", "/api/me/thoughts/", headers, body)
        answer = self._client.call(request)
        if answer.status == 409:
            # The first request of a double click is still in progress.
            time.sleep(CONFLICT_PAUSE_SECONDS)
            answer = self._client.call(request)
        _check_status(self._client, answer, 201)

    def delete(self, caller: Caller, thought_id: int) -> None:
        """Delete one of the caller's thoughts; no error if it is already gone."""
        target = f"/api/me/thoughts/{thought_id}/"
        answer = self._client.call(Request("DELETE", target, caller.headers))
        _check_status(self._client, answer, 204, 404)

    def _list(
        self, path: str, caller: Caller, filters: Mapping[str, str], cursor: Cursor | None
    ) -> ThoughtPage:
        is_going_back = cursor is not None and cursor.name == "min_id"
        parameters = {name: value for name, value in filters.items() if value}
        # When paging back, one extra thought shows whether there are even newer ones.
        parameters["limit"] = str(THOUGHTS_A_PAGE + is_going_back)
        parameters.update(cursor.parameters if cursor else {})
        target = f"{path}?{urlencode(parameters)}"
        answer = self._client.call(Request("GET", target, caller.headers))
        thoughts = _decoded(self._client, answer, list[Thought])
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
        headers = {**caller.headers, "Content-Type": "application/json"}
        body = msgspec.json.encode({"username": username, "password": password.reveal()})
        answer = self._client.call(Request("POST", "/api/login/", headers, body))
        # 400: the name or password is malformed, for example empty.
        if answer.status in (400, 401):
            return None
        scheme, _, token = _decoded(self._client, answer, _Login).authorized.partition(" ")
        if scheme != "Bearer" or not token:
            raise self._client.away("bad_answer", "a login answer without a token")
        return token


class _Login(msgspec.Struct):
    authorized: str = msgspec.field(name="Authorized")


class _Problem(msgspec.Struct):
    detail: str = ""


def _decoded(client: HttpClient, answer: Answer, shape: type[T]) -> T:
    """Return the body of an answer with status 200; otherwise raise the `BackendError`."""
    _check_status(client, answer, 200)
    try:
        return msgspec.json.decode(answer.body, type=shape)
    except UNREADABLE as error:
        raise client.away("bad_answer", f"an answer that does not parse: {error}") from error


def _check_status(client: HttpClient, answer: Answer, *expected: int) -> None:
    """Raise the `BackendError` for an answer with another status than those expected."""
    if answer.status in expected:
        return
    if answer.status == 401:
        raise Unauthorized
    if answer.status == 410:
        raise ThoughtDeleted
    if answer.status == 400:
        raise BackendRefused(_explanation(answer.body))
    raise client.away("bad_answer", f"status {answer.status}")


def _explanation(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_Problem).detail
    except UNREADABLE:
        return ""
