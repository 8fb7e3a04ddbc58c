"""Tracing of the Frontend: a span for each request, with a child span for each backend call.

Imported only if tracing is enabled.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from frontend.backends.http_client import Answer, HttpClient
from frontend.serving.observation import ROUTE_KEY, path_of
from mythoughts_chassis.observation import is_unobserved
from mythoughts_chassis.tracing import Attributes, Tracing, current_headers, note_answer


def trace_requests(app: WSGIApplication, tracing: Tracing) -> WSGIApplication:
    """Return `app` with tracing; the span replaces the client's `traceparent`."""

    def traced(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if is_unobserved(environ["PATH_INFO"]):
            return app(environ, start_response)
        status = 0

        def start(status_line: str, *arguments: Any) -> Any:
            nonlocal status
            status = int(status_line[:3])
            return start_response(status_line, *arguments)

        method = environ["REQUEST_METHOD"]
        headers = {
            "traceparent": environ.pop("HTTP_TRACEPARENT", ""),
            "tracestate": environ.pop("HTTP_TRACESTATE", ""),
        }
        with tracing.request(method, path_of(environ), headers) as span:
            environ |= {f"HTTP_{name.upper()}": value for name, value in current_headers().items()}
            body = app(environ, start)
            note_answer(span, method, status, environ.get(ROUTE_KEY))
        return body

    return traced


class TracedHttpClient(HttpClient):
    """Traces each attempt of a call; the backend's span becomes its child."""

    def __init__(self, tracing: Tracing, *, base_url: str, **options: Any) -> None:
        super().__init__(base_url=base_url, **options)
        self._base_url = base_url.rstrip("/")
        self._tracing = tracing

    def _attempt(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, ends_at: float
    ) -> Answer:
        attributes: Attributes = {
            "http.request.method": method,
            "server.address": self._pool.host,
            "server.port": self._pool.port or 80,
            "url.full": self._base_url + path.partition("?")[0],
        }
        with self._tracing.call(method, attributes) as span:
            answer = super()._attempt(method, path, {**headers, **current_headers()}, body, ends_at)
            note_answer(span, method, answer.status, None)
        return answer
