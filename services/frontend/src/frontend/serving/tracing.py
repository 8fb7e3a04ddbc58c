"""Tracing of the Frontend: a span for each request; `HttpClient` adds one for each backend call."""

from collections.abc import Iterator
from typing import TYPE_CHECKING
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from frontend.serving.observation import ROUTE_KEY, Start, path_of
from mythoughts_chassis.observation import is_unobserved

if TYPE_CHECKING:
    from mythoughts_chassis.tracing import Tracing


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
            tracing.note_answer(span, method, start.status, environ.get(ROUTE_KEY))

    return traced
