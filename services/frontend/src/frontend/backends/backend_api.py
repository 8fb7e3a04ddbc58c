"""What calls to both backends share: the caller, the meaning of statuses, and lists."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, NamedTuple, TypeVar
from urllib.parse import urlencode

import msgspec

from frontend.backends.cursors import ENTRIES_A_PAGE, Cursor, Entry, EntryPage, page_of
from frontend.backends.errors import (
    BackendRefused,
    Conflict,
    Forbidden,
    ThoughtDeleted,
    TooManyRequests,
    Unauthorized,
)
from frontend.backends.http_client import HttpClient
from mythoughts_chassis.backend_connection import Request, Response
from mythoughts_chassis.clients import UNKNOWN, Client

T = TypeVar("T")
E = TypeVar("E", bound=Entry)

# A time with a time zone.
Moment = Annotated[datetime, msgspec.Meta(tz=True)]

_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)

# Statuses that mean a fault of ours: the Frontend calls only what exists, and sends without pauses.
OUR_FAULTS = frozenset({404, 405, 408})

# msgspec's errors for invalid JSON or UTF-8, too deep nesting, or an unexpected shape.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Caller(NamedTuple):
    """The visitor on whose behalf a backend is called.

    The access token and the browser's token may be empty.
    """

    token: str
    language: str
    client: Client
    device_token: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """The caller as request headers.

        Backends use the address if they trust the Frontend (`TRUSTED_PROXIES`).
        """
        headers = {"Accept": "application/json", "Accept-Language": self.language}
        if self.client.address != UNKNOWN:
            headers["X-Forwarded-For"] = self.client.address
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        return headers


class AuditEntry(msgspec.Struct, frozen=True):
    """An entry of a backend's audit log; `subject` is empty if the actor is also the subject."""

    id: int
    timestamp: Moment
    event: str
    actor: str
    subject: str
    address: str


class BackendApi:
    """The common part of both backends; every method may raise any `BackendError`."""

    def __init__(self, client: HttpClient) -> None:
        self.client = client

    def call(
        self,
        caller: Caller,
        method: str,
        target: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Return the response, whatever its status; `body` is sent as JSON, unless it is None."""
        sent = {**caller.headers, **(headers or {})}
        if body is None:
            return self.client.call(Request(method, target, sent))
        sent["Content-Type"] = "application/json"
        return self.client.call(Request(method, target, sent, msgspec.json.encode(body)))

    def get(self, caller: Caller, target: str, shape: type[T]) -> T:
        """Return what is at `target`."""
        return self.decoded(self.call(caller, "GET", target), shape)

    def get_list(
        self, caller: Caller, path: str, kind: type[E], cursor: Cursor | None, **filters: str
    ) -> EntryPage[E]:
        """Return a page of the list at `path`; empty filters match everything."""
        parameters = {name: value for name, value in filters.items() if value}
        is_going_back = cursor is not None and cursor.name == "min_id"
        # When paging back, one extra entry shows whether there are even newer ones.
        parameters["limit"] = str(ENTRIES_A_PAGE + is_going_back)
        parameters.update(cursor.parameters if cursor else {})
        response = self.call(caller, "GET", f"{path}?{urlencode(parameters)}")
        entries = self.decoded(response, list[kind])  # type: ignore[valid-type]
        return page_of(entries, response.headers.get("link", ""), cursor)

    def audit(self, caller: Caller, cursor: Cursor | None) -> EntryPage[AuditEntry]:
        """Return a page of the backend's audit log, for an admin, newest first."""
        return self.get_list(caller, "/admin/audit/", AuditEntry, cursor)

    def decoded(self, response: Response, shape: type[T], *, status: int = 200) -> T:
        """Return the body of a response with this status; otherwise raise the `BackendError`."""
        self.check_status(response, status)
        try:
            return msgspec.json.decode(response.body, type=shape)
        except UNREADABLE as error:
            raise self.client.away(
                "bad_answer", f"a response that does not parse: {error}"
            ) from error

    def check_status(self, response: Response, *expected: int) -> None:
        """Raise the `BackendError` for a response whose status is not one of those expected."""
        if response.status in expected:
            return
        if response.status == 401:
            raise Unauthorized
        if response.status == 410:
            raise ThoughtDeleted
        if response.status == 429:
            # Limits send this header; a full queue does not.
            is_crowded = "ratelimit" not in response.headers
            raise TooManyRequests(_retry_after_seconds(response), is_crowded=is_crowded)
        if 400 <= response.status < 500 and response.status not in OUR_FAULTS:
            raise _refusal(response)
        raise self.client.away("bad_answer", f"status {response.status}")


def _retry_after_seconds(response: Response) -> int:
    header = response.headers.get("retry-after", "")
    return int(header) if _SECONDS.fullmatch(header) else 1


class _FieldError(msgspec.Struct):
    field: str
    detail: str


class _Problem(msgspec.Struct):
    detail: str = ""
    errors: list[_FieldError] = []


def _refusal(response: Response) -> BackendRefused | Conflict | Forbidden:
    try:
        problem = msgspec.json.decode(response.body, type=_Problem)
    except UNREADABLE:
        problem = _Problem()
    if response.status == 403:
        return Forbidden(problem.detail)
    if response.status == 409:
        return Conflict(problem.detail)
    return BackendRefused(problem.detail, {e.field: e.detail for e in problem.errors})
