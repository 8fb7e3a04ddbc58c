"""The HTTP client of one backend, which contains the backend's failures.

A call holds one of a few slots (a bulkhead: a stalled backend cannot occupy every thread) and has
a deadline for the whole response. It is not attempted while the circuit is open, and is retried
once if its connection breaks and a repetition is harmless.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import structlog
from prometheus_client import Counter, Gauge, Histogram
from urllib3 import BaseHTTPResponse, Timeout
from urllib3.exceptions import EmptyPoolError, HTTPError, ProtocolError
from urllib3.util import parse_url

from frontend.backends.breaker import CircuitBreaker
from frontend.backends.deadline import DeadlinePool
from frontend.backends.errors import BackendAway, BackendName
from mythoughts_chassis.observation import current_ids

SLOT_WAIT_SECONDS = 0.25
FAILURES_TO_OPEN = 3
MAX_ANSWER_BYTES = 1_048_576
TOO_MANY_REQUESTS = 429

FailureKind = Literal["no_answer", "bad_answer", "circuit_open", "no_connection_free"]

_log = structlog.get_logger()

_SECONDS = Histogram(
    "frontend_backend_call_duration_seconds",
    "Duration of attempted calls to a backend, whatever the outcome.",
    ["backend"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)
_FAILURES = Counter(
    "frontend_backend_failures", "Calls without a usable answer.", ["backend", "kind"]
)
_CIRCUIT_OPEN = Gauge(
    "frontend_backend_circuit_open", "1 while calls to a backend are not attempted.", ["backend"]
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A backend's answer; `link` is its Link header, empty if there is none."""

    status: int
    body: bytes
    link: str


class HttpClient:
    """Calls one backend; all threads of the process share it."""

    def __init__(
        self,
        *,
        backend: BackendName,
        base_url: str,
        slots: int,
        connect_seconds: float,
        answer_seconds: float,
    ) -> None:
        url = parse_url(base_url)
        self.backend = backend
        self._pool = DeadlinePool(url.host or "", url.port or 80, maxsize=slots, block=True)
        self._connect_seconds = connect_seconds
        self._answer_seconds = answer_seconds
        self._breaker = CircuitBreaker(
            failures_to_open=FAILURES_TO_OPEN,
            probe_every_seconds=answer_seconds + 2 * SLOT_WAIT_SECONDS,
        )
        _CIRCUIT_OPEN.labels(backend).set_function(lambda: self._breaker.is_open)
        # Each series starts at 0, so that its first failure is visible as an increase.
        for kind in get_args(FailureKind):
            _FAILURES.labels(backend, kind)

    def call(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
    ) -> Answer:
        """Return the backend's answer, with a status below 500.

        The call carries the request's ids. Raises `BackendAway` if there is no such answer.
        """
        if not self._breaker.admits_call():
            raise self.away("circuit_open", "circuit open")
        try:
            with _SECONDS.labels(self.backend).time():
                answer = self._exchange(method, path, {**headers, **_id_headers()}, body)
        except EmptyPoolError:
            # Not reported to the breaker: the calls that hold the slots will report.
            raise self.away("no_connection_free", "every connection is in use") from None
        except HTTPError as error:
            self._breaker.report_failure()
            raise self.away("no_answer", f"{type(error).__name__}: {error}") from error
        if answer.status >= 500:
            self._breaker.report_failure()
            raise self.away("bad_answer", f"status {answer.status}")
        self._breaker.report_success()
        if answer.status == TOO_MANY_REQUESTS:
            raise self.away("bad_answer", "status 429")
        return answer

    def _exchange(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> Answer:
        ends_at = time.monotonic() + self._answer_seconds
        try:
            return self._attempt(method, path, headers, body, ends_at)
        except ProtocolError:
            # The connection broke. The backend may have closed it while it was idle and the
            # request was on its way, as at every restart.
            if method != "GET" and "Idempotency-Key" not in headers:
                raise
            return self._attempt(method, path, headers, body, ends_at)

    def _attempt(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, ends_at: float
    ) -> Answer:
        remaining_seconds = max(ends_at - time.monotonic(), 0.001)
        response = self._pool.urlopen(
            method,
            path,
            body=body,
            headers=headers,
            retries=False,
            redirect=False,
            timeout=Timeout(connect=self._connect_seconds, total=remaining_seconds),
            pool_timeout=SLOT_WAIT_SECONDS,  # type: ignore[arg-type]  # it is handed to Queue.get
            preload_content=False,
        )
        try:
            return Answer(
                response.status, _read_whole(response), response.headers.get("Link") or ""
            )
        finally:
            response.release_conn()

    def away(self, kind: FailureKind, reason: str) -> BackendAway:
        """Count and log why the backend is unavailable, and return the error to raise."""
        _FAILURES.labels(self.backend, kind).inc()
        _log.warning("backend away", backend=self.backend, reason=reason)
        return BackendAway(self.backend, reason)


def _read_whole(response: BaseHTTPResponse) -> bytes:
    """Return the body; raises `HTTPError` if it is truncated or too large."""
    body = response.read(MAX_ANSWER_BYTES + 1)
    if len(body) > MAX_ANSWER_BYTES:
        response.close()
        raise HTTPError("the answer is too large")
    return body


def _id_headers() -> dict[str, str]:
    ids = current_ids.get()
    headers = {"X-Request-ID": ids.request_id}
    if ids.trace_parent:
        headers["traceparent"] = ids.trace_parent
    return headers
