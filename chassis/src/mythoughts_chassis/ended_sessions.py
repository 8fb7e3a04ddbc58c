"""Which sessions have ended, as a process that verifies tokens knows it.

A thread asks the Users Backend for its status list every second, so that requests never wait for
it. While the Users Backend cannot be reached, the last list stays in use.
"""

import math
import ssl
import threading
import time
from pathlib import Path
from typing import Self

import msgspec
import structlog
from prometheus_client import Gauge

from mythoughts_chassis import status_lists
from mythoughts_chassis.backend_connection import EXCHANGE_ERRORS, Connection, Request, Response
from mythoughts_chassis.keys import WatchedKeySet
from mythoughts_chassis.observation import log_error
from mythoughts_chassis.status_lists import InvalidList, StatusList

POLL_SECONDS = 1.0
# Until the first list comes: the services may start before the Users Backend.
FIRST_POLL_SECONDS = 0.2
ANSWER_SECONDS = 1.0
# Requests that only an admin may make are refused when the list is older.
MAX_AGE_SECONDS = 60.0
# A restart of the Users Backend is shorter, and not worth a warning.
SILENT_SECONDS = 5.0

_log = structlog.get_logger()

_AGE = Gauge(
    "ended_sessions_list_age_seconds",
    "Time since the newest list of ended sessions came, or since the start if none has come.",
)


class _Body(msgspec.Struct):
    jwt: str


class EndedSessions:
    """The sessions that have ended; polls within its `with` block. Safe to share between threads.

    The list is signed, so a forged one is refused, as is one that is older than the present list.
    A 304 does not make the list newer: it is not signed, and the Users Backend signs the list again
    before it gets old.
    The constructor raises `KeySetError` if the public keys cannot be read.
    """

    def __init__(
        self,
        users_backend_url: str,
        *,
        public_keys_path: Path,
        issuer: str,
        tls: ssl.SSLContext | None = None,
        poll_seconds: float = POLL_SECONDS,
        max_age_seconds: float = MAX_AGE_SECONDS,
    ) -> None:
        self._url = users_backend_url
        self._public_keys = WatchedKeySet(public_keys_path)
        self._issuer = issuer
        self._tls = tls
        self._poll_seconds = poll_seconds
        self._max_age_seconds = max_age_seconds
        self._list = StatusList()
        self._etag = ""
        self._received_at = -math.inf
        self._answered_at = self._started_at = time.monotonic()
        self._is_away = False
        self._stopping = threading.Event()
        self._connection = self._new_connection()
        _AGE.set_function(lambda: time.monotonic() - max(self._received_at, self._started_at))

    def __enter__(self) -> Self:
        threading.Thread(
            target=self._poll_until_stopped, name="ended-sessions", daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        # The thread ends soon; nothing waits for it.
        self._stopping.set()

    def has_ended(self, session_id: int) -> bool:
        """Whether the session has ended, as far as is known."""
        return self._list.has_ended(session_id)

    @property
    def is_up_to_date(self) -> bool:
        """Whether the list is new enough for what only an admin may do."""
        return time.monotonic() - self._received_at <= self._max_age_seconds

    def _poll_until_stopped(self) -> None:
        while not self._stopping.is_set():
            self._poll()
            has_list = self._list.issued_at > 0
            self._stopping.wait(self._poll_seconds if has_list else FIRST_POLL_SECONDS)

    def _poll(self) -> None:
        try:
            response = self._ask()
            if response.status != 304:
                self._take(response)
        except (*EXCHANGE_ERRORS, InvalidList) as error:
            self._note_failure(f"{type(error).__name__}: {error}")
        except Exception as error:  # noqa: BLE001 (the thread must go on)
            log_error("polling of ended sessions failed", error)
        else:
            self._note_response()

    def _ask(self) -> Response:
        headers = {"If-None-Match": self._etag} if self._etag else {}
        request = Request("GET", status_lists.PATH, headers)
        ends_at = time.monotonic() + ANSWER_SECONDS
        try:
            return self._connection.exchange(request, ends_at)
        except ConnectionError:
            # The Users Backend may just have closed the idle connection.
            return self._connection.exchange(request, ends_at)

    def _take(self, response: Response) -> None:
        """Use the list in a response if it is newer; raises `InvalidList`."""
        if response.status != 200:
            raise InvalidList(f"status {response.status}")
        try:
            token = msgspec.json.decode(response.body, type=_Body).jwt
        except msgspec.MsgspecError as error:
            raise InvalidList(f"malformed: {error}") from None
        received = status_lists.read(token, self._public_keys.keys(), self._issuer)
        # Each replica of the Users Backend signs its own; one of them may be a moment behind.
        if received.issued_at > self._list.issued_at:
            self._list = received
            self._etag = response.headers.get("etag", "")
            self._received_at = time.monotonic()

    def _note_response(self) -> None:
        self._answered_at = time.monotonic()
        if self._is_away:
            self._is_away = False
            _log.info("ended sessions known again")

    def _note_failure(self, reason: str) -> None:
        # Behind the address there may be others that answer.
        self._connection = self._new_connection()
        if not self._is_away and time.monotonic() - self._answered_at >= SILENT_SECONDS:
            self._is_away = True
            _log.warning("ended sessions unknown", reason=reason)

    def _new_connection(self) -> Connection:
        return Connection(
            self._url,
            ANSWER_SECONDS,
            self._tls,
            max_response_bytes=status_lists.MAX_LIST_BYTES,
        )
