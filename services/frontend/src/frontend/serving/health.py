"""Endpoints for orchestrators and metrics collectors, answered before anything else.

Each address works with and without a trailing slash.

    /healthz   200 while the process is alive
    /readyz    200, or 503 once the process has been told to stop
    /metrics   in the Prometheus text format

Readiness does not depend on the backends: without them, the pages still say what is unavailable.
"""

from collections.abc import Iterable
from http import HTTPStatus
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from mythoughts_chassis.observation import HEALTH_PATHS, metrics_page


class Readiness:
    """Whether this process should still receive requests."""

    draining = False


def answer_health(app: WSGIApplication, readiness: Readiness) -> WSGIApplication:
    """Return `app` with the three endpoints in front of it."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"].rstrip("/")
        if path not in HEALTH_PATHS:
            return app(environ, start_response)
        status, body, content_type = _answer_to(environ["REQUEST_METHOD"], path, readiness)
        headers = [
            ("Content-Type", content_type),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
        ]
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            headers.append(("Allow", "GET, HEAD"))
        start_response(f"{status.value} {status.phrase}", headers)
        return [body]

    return answer


def _answer_to(method: str, path: str, readiness: Readiness) -> tuple[HTTPStatus, bytes, str]:
    if method not in ("GET", "HEAD"):
        return HTTPStatus.METHOD_NOT_ALLOWED, b"method not allowed\n", "text/plain"
    if path == "/metrics":
        return HTTPStatus.OK, *metrics_page()
    if path == "/readyz" and readiness.draining:
        return HTTPStatus.SERVICE_UNAVAILABLE, b"draining\n", "text/plain"
    return HTTPStatus.OK, b"ok\n", "text/plain"
