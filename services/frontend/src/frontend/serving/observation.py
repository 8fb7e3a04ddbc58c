"""The outermost layer, common to all responses, wherever they come from.

It handles request ids and security headers, records one log line and one metric per request, and
removes the body after HEAD, which waitress would send, desynchronising the connection. If the
application fails, this layer answers; it cannot fail itself.

A response with a Content-Length is complete before it is sent. One without is streamed.
"""

import re
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from mythoughts_chassis.browser_headers import EVERY_RESPONSE, PAGES
from mythoughts_chassis.observation import (
    HOST_IS_MISSING,
    RequestIds,
    current_ids,
    is_unobserved,
    log_error,
    may_have_host,
    observe_request,
    request_id_of,
    trace_parent_of,
)

if TYPE_CHECKING:
    from mythoughts_chassis.tracing import Tracing

# The key under which the pages store the template of the request's route.
ROUTE_KEY = "frontend.route"

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
SECURITY_HEADERS = [
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("X-Frame-Options", "DENY"),
    # Not stricter: Django compares a form's origin with the page's own, and browsers send
    # none with "no-referrer".
    ("Referrer-Policy", "same-origin"),
    *EVERY_RESPONSE,
    *PAGES,
]
WRONG_HOST = f"Unknown address. {HOST_IS_MISSING}"
FAULT = "Something went wrong. The error has been logged under the request id in X-Request-ID."

_ABSOLUTE_FORM = re.compile(r"[a-z][a-z0-9+.-]*://([^/?#]*)", re.ASCII | re.IGNORECASE)


class Start:
    """A `start_response` that adds headers.

    It remembers the status, 0 before the call, and whether the length of the body is known.
    """

    status = 0
    has_length = False

    def __init__(
        self, start_response: StartResponse, headers: Iterable[tuple[str, str]] = ()
    ) -> None:
        self._start_response = start_response
        self._headers = headers

    def __call__(self, status_line: str, headers: list[tuple[str, str]], *error: Any) -> Any:
        """Start the response; raises what the server raises for a malformed one."""
        self.status = int(status_line[:3])
        self.has_length = any(name.lower() == "content-length" for name, _ in headers)
        return self._start_response(status_line, [*headers, *self._headers], *error)


def observe(app: WSGIApplication, transport_headers: list[tuple[str, str]]) -> WSGIApplication:
    """Return `app` wrapped in this layer, which also adds `transport_headers` (about https)."""
    constant_headers = SECURITY_HEADERS + transport_headers

    def observed(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        started_at = time.perf_counter()
        # Django replaces the path in `environ`, so it is read first.
        method, path = environ["REQUEST_METHOD"], path_of(environ)
        ids = _ids_of(environ)
        start = Start(start_response, [("X-Request-ID", ids.request_id), *constant_headers])

        def note_end() -> None:
            if not is_unobserved(path):
                observe_request(
                    method=method,
                    route=environ.get(ROUTE_KEY),
                    path=path,
                    status=start.status,
                    seconds=time.perf_counter() - started_at,
                )

        with ExitStack() as ending:
            ending.callback(current_ids.reset, current_ids.set(ids))
            ending.callback(note_end)
            body = _answer(app, environ, start, method)
            return body if isinstance(body, list) else _with_end(body, ending.pop_all())

    return observed


def trace_requests(app: WSGIApplication, tracing: "Tracing") -> WSGIApplication:
    """Return `app` with tracing; the span replaces the client's `traceparent`."""

    def traced(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        if is_unobserved(environ["PATH_INFO"]):
            yield from app(environ, start_response)
            return
        start = Start(start_response)
        method = environ["REQUEST_METHOD"]
        headers = {
            "traceparent": environ.pop("HTTP_TRACEPARENT", ""),
            "tracestate": environ.pop("HTTP_TRACESTATE", ""),
        }
        with tracing.request(method, path_of(environ), headers) as span:
            environ |= {
                f"HTTP_{name.upper()}": value for name, value in tracing.current_headers().items()
            }
            yield from app(environ, start)
            tracing.note_response(span, method, start.status, environ.get(ROUTE_KEY))

    return traced


def _with_end(body: Iterable[bytes], ending: ExitStack) -> Iterator[bytes]:
    with ending:
        yield from body


def path_of(environ: WSGIEnvironment) -> str:
    """Return the path as text; WSGI passes its bytes as Latin-1 (PEP 3333)."""
    path: str = environ["PATH_INFO"]
    return path.encode("latin-1").decode("utf-8", "replace")


def _answer(
    app: WSGIApplication, environ: WSGIEnvironment, start: Start, method: str
) -> Iterable[bytes]:
    """Return the body of `app`'s response, or of the response to a bad request or an error."""
    try:
        if not _has_host(environ):
            return _plain_answer(start, method, HTTPStatus.BAD_REQUEST, WRONG_HOST)
        return _call(app, environ, start, method)
    except Exception as error:  # noqa: BLE001
        log_error("unhandled error", error)
        exc_info = (type(error), error, error.__traceback__)
        return _plain_answer(start, method, HTTPStatus.INTERNAL_SERVER_ERROR, FAULT, exc_info)


def _has_host(environ: WSGIEnvironment) -> bool:
    """Whether the request names a valid host, which is then in `environ`.

    A target in absolute form replaces the header (RFC 9112, section 3.2.2).
    """
    http_version = environ["SERVER_PROTOCOL"].removeprefix("HTTP/")
    is_good = may_have_host(environ.get("HTTP_HOST"), http_version)
    if target := _ABSOLUTE_FORM.match(environ["REQUEST_URI"]):
        environ["HTTP_HOST"] = target[1]
        return is_good and may_have_host(target[1], http_version)
    return is_good


def _call(
    app: WSGIApplication, environ: WSGIEnvironment, start: Start, method: str
) -> Iterable[bytes]:
    """Return the body. If its length is known, errors in producing it are raised here."""
    with ExitStack() as closing:
        parts = app(environ, start)
        if close := getattr(parts, "close", None):
            closing.callback(close)
        remaining = iter(parts)
        first = next(remaining, b"")
        if not start.status:
            raise RuntimeError("The application did not answer.")
        if start.has_length:
            first += b"".join(remaining)
        if method == "HEAD":
            return []
        return [first] if start.has_length else _stream(first, remaining, closing.pop_all())


def _stream(first: bytes, remaining: Iterator[bytes], closing: ExitStack) -> Iterator[bytes]:
    """Yield a body of unknown length, as it is produced.

    After an error, waitress closes the connection without the last chunk, so clients notice.
    """
    with closing:
        yield first
        try:
            yield from remaining
        except Exception as error:
            log_error("response cut off", error)
            raise ConnectionAbortedError from error


def _plain_answer(
    start: StartResponse, method: str, status: HTTPStatus, text: str, *error: Any
) -> list[bytes]:
    body = f"{text}\n".encode()
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
    ]
    start(f"{status.value} {status.phrase}", headers, *error)
    return [] if method == "HEAD" else [body]


def _ids_of(environ: WSGIEnvironment) -> RequestIds:
    return RequestIds(
        request_id=request_id_of(environ.get("HTTP_X_REQUEST_ID")),
        trace_parent=trace_parent_of(environ.get("HTTP_TRACEPARENT")),
    )
