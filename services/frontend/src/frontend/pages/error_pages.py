"""The pages for requests that fail, and which of them belongs to which error."""

from typing import NamedTuple

import structlog
from django.http import HttpResponse
from django.middleware.csrf import REASON_NO_CSRF_COOKIE, REASON_NO_REFERER
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy

from frontend.backends.errors import BackendAway, BackendRefused
from frontend.pages.login import login_page
from frontend.pages.rendering import safe_path, show
from frontend.pages.thoughts import form_page, posted_draft
from frontend.pages.visitor import PageRequest

MAX_LOGGED_CHARACTERS = 200

_log = structlog.get_logger()


class Message(NamedTuple):
    """What a page says that contains only a message."""

    status: int
    title: str | Promise
    text: str | Promise


UNREADABLE = Message(
    400,
    gettext_lazy("This did not arrive in one piece"),
    gettext_lazy("The request could not be read."),
)
WRONG_HOST = Message(
    400,
    gettext_lazy("This is not our address"),
    gettext_lazy("You came here under a name that this site does not go by."),
)
FORBIDDEN = Message(
    403,
    gettext_lazy("Not allowed"),
    gettext_lazy("You may not do this."),
)
NOT_FOUND = Message(
    404,
    gettext_lazy("There is nothing here"),
    gettext_lazy("The page may have moved, or the thought may have been deleted."),
)
WRONG_METHOD = Message(
    405,
    gettext_lazy("This cannot be done here"),
    gettext_lazy("This address exists, but not for this kind of request."),
)
FAULT = Message(
    500,
    gettext_lazy("Something went wrong"),
    gettext_lazy("The fault is ours. It has been noted, and trying again may help."),
)
AWAY = Message(
    503,
    gettext_lazy("Not working right now"),
    gettext_lazy("Thoughts cannot be read or changed at the moment. Please try again in a minute."),
)

# For errors of the backends that a view does not handle itself.
MESSAGES: dict[type[Exception], Message] = {BackendAway: AWAY, BackendRefused: UNREADABLE}


def show_message(
    request: PageRequest, exception: Exception | None = None, *, message: Message
) -> HttpResponse:
    """Return the page with this message; Django passes the `exception`, which is not shown."""
    del exception
    return show(
        request,
        "message.html",
        status=message.status,
        title=message.title,
        text=message.text,
    )


def show_csrf_failure(request: PageRequest, reason: str) -> HttpResponse:
    """Explain why a form failed Django's CSRF check, and offer a new one with the typed text.

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
    return show_message(request, message=Message(403, gettext("Please try again"), problem))


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
