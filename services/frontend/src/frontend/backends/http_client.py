"""The HTTP client of one backend, which contains the backend's failures.

A call holds one of a few connections (a bulkhead: a stalled backend cannot occupy every thread)
and has a deadline for the whole response. It is not attempted while the circuit is open, and is
retried once if its connection breaks and a repetition is harmless.
"""

import ssl
import threading
import time
from collections.abc import Callable
from queue import Empty, LifoQueue
from typing import TYPE_CHECKING, Literal, get_args
from urllib.parse import urlsplit

import structlog
from prometheus_client import Counter, Gauge, Histogram

from frontend.backends.errors import BackendAway, BackendName, BackendRefused
from mythoughts_chassis.backend_connection import (
    EXCHANGE_ERRORS,
    Connection,
    Request,
    Response,
    UnsendableRequestError,
    port_of,
)
from mythoughts_chassis.observation import current_ids

if TYPE_CHECKING:
    from mythoughts_chassis.tracing import Tracing

# Longer than a busy machine may pause the process (ADR 41).
SLOT_WAIT_SECONDS = 1.0
PROBE_EVERY_SECONDS = 1.0
FAILURES_TO_OPEN = 3

FailureKind = Literal["no_answer", "bad_answer", "circuit_open", "no_connection_free"]

_log = structlog.get_logger()

_SECONDS = Histogram(
    "frontend_backend_call_duration_seconds",
    "Duration of attempted calls to a backend, whatever the outcome.",
    ["backend"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)
_FAILURES = Counter(
    "frontend_backend_failures", "Calls without a usable response.", ["backend", "kind"]
)
_CIRCUIT_OPEN = Gauge(
    "frontend_backend_circuit_open", "1 while calls to a backend are not attempted.", ["backend"]
)


class HttpClient:
    """Calls one backend; all threads of the process share it.

    `tls` is required if the base URL begins with https. With `tracing`, each attempt of a traced
    request has a span.
    """

    def __init__(
        self,
        *,
        backend: BackendName,
        base_url: str,
        slots: int,
        connect_seconds: float,
        answer_seconds: float,
        tls: ssl.SSLContext | None = None,
        tracing: "Tracing | None" = None,
    ) -> None:
        self.backend = backend
        # The one returned last is used first, so that only a few stay open.
        self._connections: LifoQueue[Connection] = LifoQueue()
        for _ in range(slots):
            self._connections.put(Connection(base_url, connect_seconds, tls))
        self._base_url = base_url.rstrip("/")
        self._tracing = tracing
        self.answer_seconds = answer_seconds
        self._seconds = _SECONDS.labels(backend)
        self._breaker = CircuitBreaker(
            failures_to_open=FAILURES_TO_OPEN,
            probe_every_seconds=PROBE_EVERY_SECONDS,
        )
        _CIRCUIT_OPEN.labels(backend).set_function(lambda: self._breaker.is_open)
        # Each series starts at 0, so that its first failure is visible as an increase.
        for kind in get_args(FailureKind):
            _FAILURES.labels(backend, kind)

    def call(self, request: Request) -> Response:
        """Return the backend's response, whatever its status; raises `BackendAway` without one.

        Raises `BackendRefused`, without a call, for a request that cannot be sent. The call carries
        the ids of the page's request.
        """
        if not self._breaker.admits_call():
            raise self.away("circuit_open", "circuit open")
        try:
            with self._seconds.time():
                response = self._exchange(_with_ids(request))
        except Empty:
            # Not reported to the breaker: the calls that hold the connections report theirs.
            raise self.away("no_connection_free", "every connection is in use") from None
        except UnsendableRequestError as error:
            raise BackendRefused(str(error), {}) from error
        except EXCHANGE_ERRORS as error:
            self._breaker.report_failure()
            raise self.away("no_answer", f"{type(error).__name__}: {error}") from error
        if response.status >= 500:
            self._breaker.report_failure()
        else:
            self._breaker.report_success()
        return response

    def _exchange(self, request: Request) -> Response:
        ends_at = time.monotonic() + self.answer_seconds
        try:
            return self._attempt(request, ends_at)
        except ConnectionError:
            # The backend may have closed an idle connection while the request was on its way, as it
            # does at every restart.
            if request.method != "GET" and "Idempotency-Key" not in request.headers:
                raise
            return self._attempt(request, ends_at)

    def _attempt(self, request: Request, ends_at: float) -> Response:
        """Send a request once; the response must be complete at `ends_at` (monotonic)."""
        if self._tracing is None:
            return self._use_connection(request, ends_at)
        attributes: dict[str, str | int] = {
            "http.request.method": request.method,
            "server.address": urlsplit(self._base_url).hostname or "",
            "server.port": port_of(self._base_url),
            "url.full": self._base_url + request.target.partition("?")[0],
        }
        with self._tracing.call(request.method, attributes) as span:
            headers = {**request.headers, **self._tracing.current_headers()}
            response = self._use_connection(request._replace(headers=headers), ends_at)
            self._tracing.note_response(span, request.method, response.status, None)
        return response

    def _use_connection(self, request: Request, ends_at: float) -> Response:
        connection = self._connections.get(timeout=SLOT_WAIT_SECONDS)
        try:
            return connection.exchange(request, ends_at)
        finally:
            self._connections.put(connection)

    def away(self, kind: FailureKind, reason: str) -> BackendAway:
        """Count and log why the backend is unavailable, and return the error to raise."""
        _FAILURES.labels(self.backend, kind).inc()
        _log.warning("backend away", backend=self.backend, reason=reason)
        return BackendAway(self.backend, reason)


class CircuitBreaker:
    """Decides whether a call may be made; safe to share between threads.

    closed     all calls go through; consecutive failures are counted
    open       after `failures_to_open` failures, no calls go through
    half open  every `probe_every_seconds`, one call goes through as a probe, even if the last one
               has no outcome yet; if one succeeds, the circuit closes

    As in M. Nygard, "Release It!".
    """

    def __init__(
        self,
        *,
        failures_to_open: int,
        probe_every_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._failures_to_open = failures_to_open
        self._probe_every_seconds = probe_every_seconds
        self._clock = clock
        self._failures = 0
        self._next_probe_at = 0.0
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        """Whether calls are blocked, except for probes."""
        return self._failures >= self._failures_to_open

    def admits_call(self) -> bool:
        """Return whether a call may be made now. If so, the caller reports its outcome."""
        with self._lock:
            if not self.is_open:
                return True
            now = self._clock()
            if now < self._next_probe_at:
                return False
            self._next_probe_at = now + self._probe_every_seconds
            return True

    def report_success(self) -> None:
        """Close the circuit: the backend answers."""
        with self._lock:
            self._failures = 0

    def report_failure(self) -> None:
        """Count a failed call, and open the circuit after too many."""
        with self._lock:
            self._failures += 1
            if self._failures == self._failures_to_open:
                self._next_probe_at = self._clock() + self._probe_every_seconds


def _with_ids(request: Request) -> Request:
    ids = current_ids.get()
    headers = {**request.headers, "X-Request-ID": ids.request_id}
    if ids.trace_parent:
        headers["traceparent"] = ids.trace_parent
    return request._replace(headers=headers)
