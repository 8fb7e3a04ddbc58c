"""Pages for failed requests."""

from typing import Any

import structlog
from django.http import HttpResponse
from django.middleware.csrf import REASON_NO_CSRF_COOKIE, REASON_NO_REFERER
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from frontend.backends.errors import (
    BackendAway,
    BackendRefused,
    Conflict,
    Forbidden,
    TooManyRequests,
)
from frontend.pages.login import login_page
from frontend.pages.page_request import PageRequest
from frontend.pages.rendering import safe_path, show
from frontend.pages.thoughts import posted_draft
from frontend.pages.words import waiting_time

MAX_LOGGED_CHARACTERS = 200

_log = structlog.get_logger()


# The title and the text of a page, by its status.
MESSAGES = {
    400: (_("Invalid request"), _("The server could not understand this request.")),
    403: (_("Not allowed"), _("You do not have permission to do this.")),
    404: (
        _("Page not found"),
        _("The page may have moved, or the thought may have been deleted."),
    ),
    405: (
        _("Not supported"),
        _("This address does not support this kind of request."),
    ),
    409: (
        _("Not possible"),
        _("The data has changed in the meantime. Please reload the page and check it."),
    ),
    500: (
        _("Something went wrong"),
        _("This is our fault. It has been logged; please try again."),
    ),
    503: (
        _("Temporarily unavailable"),
        _("This cannot be shown or changed at the moment. Please try again in a minute."),
    ),
}
# Errors of the backends that a view does not handle itself.
STATUSES: dict[type[Exception], int] = {
    BackendAway: 503,
    BackendRefused: 400,
    Conflict: 409,
    Forbidden: 403,
}


def error_page(
    request: PageRequest, exception: Exception | None = None, *, status: int
) -> HttpResponse:
    """Return the page for a status in `MESSAGES`; the exception, passed by Django, is not shown."""
    del exception
    title, text = MESSAGES[status]
    return message_page(request, status=status, title=title, text=text)


def too_many_requests(request: PageRequest, error: TooManyRequests) -> HttpResponse:
    """Say how long to wait; for views that have no message of their own."""
    seconds = error.retry_after_seconds
    return message_page(
        request,
        status=429,
        retry_after_seconds=seconds,
        title=gettext("Too many requests"),
        text=gettext("Please try again in %(time)s.") % {"time": waiting_time(seconds)},
    )


def message_page(
    request: PageRequest, *, status: int, title: str | Promise, text: str | Promise, **context: Any
) -> HttpResponse:
    """Return a page with only a message, and a link to `form_path` if that is given."""
    return show(request, "message.html", status=status, title=title, text=text, **context)


def wrong_host(request: PageRequest) -> HttpResponse:
    """Report that the Host header does not name this site."""
    return message_page(
        request,
        status=400,
        title=gettext("Unknown address"),
        text=gettext("This site is not available under this address."),
    )


def csrf_failure(request: PageRequest, reason: str) -> HttpResponse:
    """Explain why a form failed Django's CSRF check, and offer a new one with the typed text.

    Text from another site's form is not kept, because its author could put words into the visitor's
    mouth. `reason` is one of those in `django.middleware.csrf`.
    """
    _log_refusal(request, reason)
    problem = _problem(reason, request.headers.get("Origin"))
    if _is_from_another_site(request):
        return message_page(request, status=403, title=gettext("Not allowed"), text=problem)
    draft = posted_draft(request.POST)
    if request.path.startswith("/login") or (draft.text and request.visitor.principal is None):
        next_path = safe_path(request.POST.get("next", request.path))
        return login_page(request, next_path=next_path, status=403, problem=problem)
    if draft.text:
        return show(request, "thoughts.html", status=403, draft=draft, problem=problem)
    title = gettext("Please try again")
    return message_page(request, status=403, title=title, text=problem, form_path=request.path)


def _problem(reason: str, origin: str | None) -> str:
    if reason == REASON_NO_CSRF_COOKIE:
        return gettext(
            "Nothing was sent, because your browser did not send this site’s cookie. "
            "Please allow cookies and try again."
        )
    if reason == REASON_NO_REFERER or origin == "null":
        return gettext(
            "Nothing was sent, because your browser did not say which site the form came from. "
            "Please allow this in its privacy settings and try again."
        )
    if _is_about_origin(reason):
        return gettext(
            "Nothing was sent, because this site does not recognize the address that the form came "
            "from. If this happens again, please contact the people who run this site."
        )
    return gettext("This form has expired, so nothing was sent. Please try again.")


def _is_from_another_site(request: PageRequest) -> bool:
    """Whether the form came from another site, according to the browser.

    Browsers send `Sec-Fetch-Site` over https, whatever proxies do to `Host`. The scheme of `Origin`
    does not matter, because `BEHIND_TLS` may be wrong.
    """
    if site := request.headers.get("Sec-Fetch-Site"):
        return site != "same-origin"
    origin = request.headers.get("Origin")
    return origin is not None and origin.partition("://")[2] != request.META.get("HTTP_HOST")


def _is_about_origin(reason: str) -> bool:
    return reason.startswith(("Origin checking", "Referer checking"))


def _log_refusal(request: PageRequest, reason: str) -> None:
    """Log why a form was refused and, if a setting may be to blame, which one."""
    details = {}
    if _is_about_origin(reason):
        sender = request.headers.get("Origin") or request.headers.get("Referer") or "none"
        expected = f"{request.scheme}://{request.META.get('HTTP_HOST', '')}"
        details = {
            "origin": sender[:MAX_LOGGED_CHARACTERS],
            "expected": expected[:MAX_LOGGED_CHARACTERS],
            "repair": _repair(sender, expected),
        }
    _log.warning("form refused", reason=reason[:MAX_LOGGED_CHARACTERS], **details)


def _repair(sender: str, expected: str) -> str:
    scheme, _, address = sender.partition("://")
    expected_scheme, _, expected_host = expected.partition("://")
    if not address:
        return "nothing here: the browser did not say where the form came from"
    if scheme != expected_scheme and address.partition("/")[0] == expected_host:
        return f"set BEHIND_TLS={str(scheme == 'https').lower()}"
    return (
        "make the proxy pass on the Host header unchanged "
        "(unless the form came from another site and was rightly refused)"
    )
