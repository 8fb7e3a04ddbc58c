"""The middleware around every page: language, error pages, headers and compression."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port, validate_host
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils import translation

from frontend.backends.errors import TooManyRequests, Unauthorized
from frontend.pages.error_pages import STATUSES, error_page, too_many_requests, wrong_host
from frontend.pages.login import log_in_first, stay_logged_in
from frontend.pages.page_request import LANGUAGE_TAGS, PageRequest, forget_cookie, send_session
from frontend.pages.urls import ALLOWED_METHODS
from frontend.serving.observation import ROUTE_KEY
from mythoughts_chassis.static_content import prefers_gzip


class CompressPages(GZipMiddleware):
    """Django's middleware, which also respects clients that refuse gzip (`gzip;q=0`).

    An attacker who sees the length of a compressed response and controls part of its text can infer
    the rest (BREACH). Two measures prevent this: forms' CSRF tokens are masked differently in each
    response, and Django's middleware adds up to 100 random bytes, which hide who is logged in.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Compress the response if the client prefers that."""
        if not prefers_gzip(request.META.get("HTTP_ACCEPT_ENCODING", "")):
            return response
        return super().process_response(request, response)


class PageMiddleware:
    """Surrounds the views and Django's CSRF check.

    Django calls `process_view` before that check, and `process_exception` if a view raises.
    """

    def __init__(self, get_response: Callable[[PageRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: PageRequest) -> HttpResponse:
        """Answer one request."""
        translation.activate(request.language)
        if _is_for_us(request):
            is_renewed = stay_logged_in(request)
            response = self._get_response(request)
            if is_renewed:
                send_session(response, request.visitor)
        else:
            response = wrong_host(request)
        if request.resolver_match is not None:
            request.META[ROUTE_KEY] = "/" + request.resolver_match.route.rstrip("/")
        if request.visitor.has_dead_session:
            forget_cookie(response, "session")
        response.headers["Content-Language"] = LANGUAGE_TAGS[request.language]
        if isinstance(response, HttpResponse):
            # Without this header waitress closes the connection after every page.
            response.headers["Content-Length"] = str(len(response.content))
        # A user's pages must not stay in the browser, whose back button would show them after a
        # logout.
        is_anonymous = request.visitor.principal is None
        response.headers.setdefault(
            "Cache-Control", "private, no-cache" if is_anonymous else "no-store"
        )
        response.headers["Vary"] = "Accept-Encoding, Cookie, Accept-Language"
        return response

    def process_view(
        self, request: PageRequest, view: Callable[..., HttpResponse], *_: Any
    ) -> HttpResponse | None:
        """Reject methods that a page does not support, before its form is checked."""
        allowed = ALLOWED_METHODS[view]
        if request.method in allowed:
            return None
        response = error_page(request, status=405)
        response.headers["Allow"] = ", ".join(allowed)
        return response

    def process_exception(self, request: PageRequest, error: Exception) -> HttpResponse | None:
        """Return the page for an error that the view does not handle."""
        if isinstance(error, Unauthorized):
            request.log_out()
            return log_in_first(request)
        if isinstance(error, TooManyRequests):
            return too_many_requests(request, error)
        status = STATUSES.get(type(error))
        return error_page(request, status=status) if status else None


def _is_for_us(request: PageRequest) -> bool:
    """Whether the Host header has one of the names of this site."""
    name, _port = split_domain_port(request.META.get("HTTP_HOST", ""))
    return validate_host(name, settings.ALLOWED_HOSTS)
