"""Observation of every request in every service: ids, one log line, metrics.

`X-Request-ID` identifies a request across the services: a well-formed one is kept, otherwise
one is generated. `traceparent` (W3C Trace Context) is passed on unchanged; its trace id is logged.
"""

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Gauge, Histogram, generate_latest

from mythoughts_chassis import status_lists

if TYPE_CHECKING:
    from mythoughts_chassis.settings import ServiceSettings
    from mythoughts_chassis.tracing import Tracing

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)
_TRACE_PARENT = re.compile(
    r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII
)

# RFC 9112, section 3.2, and RFC 3986, section 3.2.2. An http address needs a non-empty host.
_HOST = re.compile(
    r"(?:(?:[\w.~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?", re.ASCII
)

HOST_IS_MISSING = "A request must have exactly one Host header, with a valid host."

# Clients can make up methods; these must not become metric labels or span names.
KNOWN_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNMATCHED_ROUTE = "unmatched"
# Machines request these all the time.
HEALTH_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})
UNOBSERVED_PATHS = HEALTH_PATHS | {status_lists.PATH}


_log = structlog.get_logger()


def _log_request(**fields: object) -> None:
    _log.info("request", **fields)


# Writes the log line of a request, from keyword arguments. `configure_logging` sets a quicker one
# for JSON.
RequestLogger = Callable[..., None]
_request_logger: RequestLogger = _log_request


def log_requests_with(request_logger: RequestLogger) -> None:
    """Log each request with this logger from now on."""
    global _request_logger  # noqa: PLW0603 (set once, at the start)
    _request_logger = request_logger


_SECONDS = Histogram(
    "http_request_duration_seconds",
    "Time from the arrival of a request to the end of its response.",
    ["method", "route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)
_BUILD = Gauge("mythoughts_build_info", "1, labelled with the version.", ["service", "version"])


@dataclass(frozen=True, slots=True)
class RequestIds:
    """The ids that identify a request across the services."""

    request_id: str
    trace_parent: str | None = None

    @property
    def trace_id(self) -> str | None:
        """The trace id within `traceparent`."""
        return self.trace_parent.split("-")[1] if self.trace_parent else None


current_ids: ContextVar[RequestIds] = ContextVar("current_ids")


def request_id_of(header: str | None) -> str:
    """Return the client's request id if it is well formed, else a new one."""
    if header and _REQUEST_ID.fullmatch(header):
        return header
    return secrets.token_hex(16)


def trace_parent_of(header: str | None) -> str | None:
    """Return the client's `traceparent` if it is well formed."""
    return header if header and _TRACE_PARENT.fullmatch(header) else None


def is_unobserved(path: str) -> bool:
    """Whether a request is neither counted nor logged; a trailing slash makes no difference."""
    return path.rstrip("/") in UNOBSERVED_PATHS


def may_have_host(host: str | None, http_version: str) -> bool:
    """Whether a request may have this `Host`, None if it has none (RFC 9112, section 3.2).

    Repeated headers are joined with ", ", which no valid host contains.
    """
    return http_version == "1.0" if host is None else _HOST.fullmatch(host) is not None


def observe_request(
    *, method: str, route: str | None, path: str, status: int, seconds: float
) -> None:
    """Count one answered request and log it; `route` is the template, None if there is none.

    The log line takes the ids from `current_ids`. Never raises: the response is already sent.
    """
    method_label = method if method in KNOWN_METHODS else "other"
    try:
        _SECONDS.labels(method_label, route or UNMATCHED_ROUTE, str(status)).observe(seconds)
    except Exception as error:  # noqa: BLE001
        log_error("metric failed", error)
    try:
        _request_logger(
            method=method,
            route=route,
            path=path,
            status=status,
            duration_ms=round(seconds * 1000, 3),
        )
    except Exception as error:  # noqa: BLE001
        log_error("log line failed", error)


@contextmanager
def harmless(part: str) -> Iterator[None]:
    """Log errors of the block and never raise: the response does not depend on it."""
    try:
        yield
    except Exception as error:  # noqa: BLE001
        log_error(f"{part} failed", error)


def log_error(event: str, error: Exception) -> None:
    """Log a fault of the service, if the log can be written; never raises."""
    with suppress(Exception):
        _log.error(event, exc_info=error)


def log_audit(event: str, *, actor: str, subject: str, address: str) -> None:
    """Log an event that concerns security: who did what, to what, and from where."""
    _log.info("audit", what=event, actor=actor, subject=subject, address=address)


def start_observation(settings: "ServiceSettings", name: str, version: str) -> "Tracing | None":
    """Expose the service's name and version in the metrics, and return what traces the service.

    It is None if the settings name no collector.
    """
    _BUILD.labels(name, version).set(1)
    if settings.otel_exporter_otlp_endpoint is None:
        return None
    # Imported only when needed: the import costs time and memory.
    from mythoughts_chassis.tracing import Tracing  # noqa: PLC0415

    return Tracing(endpoint=settings.otel_exporter_otlp_endpoint, service=name, version=version)


def metrics_page() -> tuple[bytes, str]:
    """Return the metrics in the Prometheus text format and their content type."""
    return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
