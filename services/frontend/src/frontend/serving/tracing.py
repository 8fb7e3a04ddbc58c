"""Tracing of the Frontend: a span for each request, with a child span for each backend call.

Imported only if tracing is enabled.
"""

from collections.abc import Iterator
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from frontend.backends.http_client import Attempt
from frontend.serving.observation import ROUTE_KEY, Start, path_of
from mythoughts_chassis.backend_connection import Answer, Request, port_of
from mythoughts_chassis.observation import is_unobserved
from mythoughts_chassis.tracing import Attributes, Tracing


def trace_requests(app: WSGIApplication, tracing: Tracing) -> WSGIApplication:
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


def trace_calls(attempt: Attempt, base_url: str, tracing: Tracing) -> Attempt:
    """Return `attempt` with tracing: the backend's span becomes the child of the attempt's."""
    url = urlsplit(base_url)

    def traced(request: Request, ends_at: float) -> Answer:
        attributes: Attributes = {
            "http.request.method": request.method,
            "server.address": url.hostname or "",
            "server.port": port_of(base_url),
            "url.full": base_url.rstrip("/") + request.target.partition("?")[0],
        }
        with tracing.call(request.method, attributes) as span:
            headers = {**request.headers, **tracing.current_headers()}
            answer = attempt(request._replace(headers=headers), ends_at)
            tracing.note_answer(span, request.method, answer.status, None)
        return answer

    return traced
