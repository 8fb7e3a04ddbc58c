"""The response to a form that fails Django's CSRF check."""

import structlog
from django.http import HttpResponse
from django.middleware.csrf import REASON_NO_CSRF_COOKIE, REASON_NO_REFERER
from django.utils.translation import gettext

from frontend.pages.drafts import posted_draft
from frontend.pages.login_page import login_page
from frontend.pages.showing import safe_path, show_message
from frontend.pages.thoughts import form_page
from frontend.pages.visitor import PageRequest

MAX_LOGGED_CHARACTERS = 200

_log = structlog.get_logger()


def csrf_failure(request: PageRequest, reason: str) -> HttpResponse:
    """Explain why a form was refused, and offer a fresh one with the typed text.

    `reason` is one of those in `django.middleware.csrf`.
    """
    _log_refusal(request, reason)
    problem = _problem(reason, request.headers.get("Origin"))
    draft = posted_draft(request.POST)
    if "username" in request.POST or (draft.text and request.visitor.principal is None):
        next_path = safe_path(request.POST.get("next", request.path))
        return login_page(request, next_path=next_path, status=403, problem=problem)
    if draft.text:
        return form_page(request, draft, status=403, problem=problem)
    return show_message(request, status=403, title=gettext("Please try again"), text=problem)


def _problem(reason: str, origin: str | None) -> str:
    if reason == REASON_NO_CSRF_COOKIE:
        return gettext(
            "Nothing was sent, because your browser did not return this site’s cookie. "
            "Cookies must be allowed. Please try again."
        )
    if reason == REASON_NO_REFERER or origin == "null":
        return gettext(
            "Nothing was sent, because your browser did not say which site the form was on. "
            "Please allow it to tell this site, and try again."
        )
    if _is_about_origin(reason):
        return gettext(
            "Nothing was sent, because the form came from an address that this site does not know "
            "as its own. If this happens again, please tell the people who run the site."
        )
    return gettext("This form was out of date, so nothing was sent. Please try again.")


def _is_about_origin(reason: str) -> bool:
    return reason.startswith(("Origin checking", "Referer checking"))


def _log_refusal(request: PageRequest, reason: str) -> None:
    """Log why a form was refused and, if a setting may be wrong, which one."""
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
        return "none here: the browser did not say where the form was"
    if scheme != expected_scheme and address.partition("/")[0] == expected_host:
        return f"set BEHIND_TLS={str(scheme == 'https').lower()}"
    return (
        "let the proxy pass the Host header on as the browser sent it "
        "(unless the form was on another site, which is rightly refused)"
    )
