"""The outermost layer: what holds for every answer, whoever made it.

Request ids in and out, security headers, one log line and one metric a request, and no body
after HEAD, which waitress would send and so desynchronise the connection.
"""

import time
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from mythoughts_chassis.requests import (
    UNOBSERVED_PATHS,
    RequestIds,
    current_ids,
    observe_request,
    request_id_of,
    trace_parent_of,
)

# The key under which the pages leave the template of the request's route.
ROUTE_KEY = "frontend.route"

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
SECURITY_HEADERS = [
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    # Not stricter: Django compares the origin of a form with the page's own, and browsers
    # send none under "no-referrer".
    ("Referrer-Policy", "same-origin"),
]
TLS_HEADERS = [("Strict-Transport-Security", "max-age=31536000")]


def observe(app: WSGIApplication, *, behind_tls: bool) -> WSGIApplication:
    """Return `app` with this layer around it."""
    constant_headers = SECURITY_HEADERS + (TLS_HEADERS if behind_tls else [])

    def observed(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        started_at = time.perf_counter()
        ids = _ids_of(environ)
        status_seen = ""

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            nonlocal status_seen
            status_seen = status
            own_headers = [("X-Request-ID", ids.request_id), *constant_headers]
            return start_response(status, headers + own_headers, *error)

        context = current_ids.set(ids)
        try:
            body = app(environ, start)
            _observe(environ, int(status_seen[:3]), time.perf_counter() - started_at)
        finally:
            current_ids.reset(context)
        return _nothing(body) if environ["REQUEST_METHOD"] == "HEAD" else body

    return observed


def _ids_of(environ: WSGIEnvironment) -> RequestIds:
    return RequestIds(
        request_id=request_id_of(environ.get("HTTP_X_REQUEST_ID")),
        trace_parent=trace_parent_of(environ.get("HTTP_TRACEPARENT")),
    )


def _observe(environ: WSGIEnvironment, status: int, seconds: float) -> None:
    path = environ["PATH_INFO"]
    if path not in UNOBSERVED_PATHS:
        observe_request(
            method=environ["REQUEST_METHOD"],
            route=environ.get(ROUTE_KEY),
            # WSGI hands the path over as Latin-1 (PEP 3333).
            path=path.encode("latin-1").decode("utf-8", "replace"),
            status=status,
            seconds=seconds,
        )


def _nothing(body: Iterable[bytes]) -> Iterable[bytes]:
    close = getattr(body, "close", None)
    if close is not None:
        close()
    return []
