"""The middleware of every page: identifies the visitor, sets the language, shows errors."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpResponse, HttpResponseNotAllowed
from django.http.request import split_domain_port, validate_host
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext

from frontend.backends.errors import BackendAway, BackendRefused, Unauthorized
from frontend.pages.cookies import forget_cookie
from frontend.pages.error_pages import away_page, bad_request, wrong_host
from frontend.pages.language import TAGS, activate_language
from frontend.pages.login_page import log_in_first
from frontend.pages.showing import show_message
from frontend.pages.urls import ALLOWED_METHODS
from frontend.pages.visitor import PARTS_KEY, SESSION_COOKIE, PageRequest, end_session, visitor_of
from frontend.serving.observation import ROUTE_KEY


class PageMiddleware:
    """Turns the request into a `PageRequest` and completes the response."""

    def __init__(self, get_response: Callable[[PageRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: PageRequest) -> HttpResponse:
        """Answer one request."""
        request.parts = request.META[PARTS_KEY]
        request.visitor = visitor_of(request, request.parts.verifier)
        request.language = activate_language(request)
        response = self._get_response(request) if _is_for_us(request) else wrong_host(request)
        if request.resolver_match is not None:
            request.META[ROUTE_KEY] = "/" + request.resolver_match.route.rstrip("/")
        if request.visitor.has_dead_session:
            forget_cookie(response, SESSION_COOKIE)
        response.headers["Content-Language"] = TAGS[request.language]
        # Without this header waitress closes the connection after every page.
        response.headers["Content-Length"] = str(len(response.content))
        response.headers["Cache-Control"] = "private, no-cache"
        patch_vary_headers(response, ("Accept-Language", "Cookie"))
        return response

    def process_view(
        self, request: PageRequest, view: Callable[..., HttpResponse], *_: Any
    ) -> HttpResponseBase | None:
        """Reject methods that a page does not support, before its form is checked."""
        allowed = ALLOWED_METHODS[view]
        if request.method in allowed:
            return None
        page = show_message(
            request,
            status=405,
            title=gettext("This cannot be done here"),
            text=gettext("This address exists, but not for this kind of request."),
        )
        return HttpResponseNotAllowed(allowed, page.content)

    def process_exception(self, request: PageRequest, error: Exception) -> HttpResponse | None:
        """Show errors that views do not handle: a backend that is down or answers 401 or 400."""
        if isinstance(error, BackendAway):
            return away_page(request, error.backend)
        if isinstance(error, Unauthorized):
            end_session(request)
            return log_in_first(request)
        if isinstance(error, BackendRefused):
            return bad_request(request, error)
        return None


def _is_for_us(request: PageRequest) -> bool:
    """Whether the Host header has one of the names of this site."""
    name, _port = split_domain_port(request.META.get("HTTP_HOST", ""))
    return validate_host(name, settings.ALLOWED_HOSTS)
