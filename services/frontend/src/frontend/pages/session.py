"""Logging in and out."""

import structlog
from django.http import HttpResponse, HttpResponseRedirect
from django.middleware.csrf import rotate_token
from django.utils.translation import gettext

from frontend.backends.calls import Caller
from frontend.backends.errors import BackendAway
from frontend.pages.drafts import posted_draft
from frontend.pages.login_page import login_page
from frontend.pages.notices import redirect_with_notice
from frontend.pages.showing import safe_path, show
from frontend.pages.thoughts import own_page
from frontend.pages.visitor import PageRequest, end_session, send_session, start_session
from mythoughts_chassis.settings import Secret
from mythoughts_chassis.tokens import InvalidToken

_log = structlog.get_logger()


def log_in(request: PageRequest) -> HttpResponse:
    """Log in, and redirect to the page that the visitor wanted."""
    if request.method == "POST":
        return _log_in(request)
    next_path = safe_path(request.GET.get("next", ""))
    if request.visitor.principal is not None:
        return HttpResponseRedirect(next_path)
    return login_page(request, next_path=next_path)


def log_out(request: PageRequest) -> HttpResponse:
    """Log out; GET asks for confirmation, so that a link cannot do it."""
    if request.method != "POST":
        return show(request, "logout.html")
    end_session(request)
    return redirect_with_notice("/login/", "logged-out")


def _log_in(request: PageRequest) -> HttpResponse:
    next_path = safe_path(request.POST.get("next", ""))
    try:
        token = request.parts.users.log_in(
            Caller("", request.language),
            username=request.POST.get("username", "").strip(),
            password=Secret(request.POST.get("password", "")),
        )
        if token is None:
            problem = gettext("Invalid login/password, please try again.")
            return login_page(request, next_path=next_path, problem=problem)
        visitor = start_session(request, token)
    except (BackendAway, InvalidToken) as error:
        _log.warning("login not possible", reason=str(error))
        problem = gettext(
            "Logging in is not possible at the moment. Please try again in a minute. "
            "Reading and searching may still work."
        )
        return login_page(request, next_path=next_path, problem=problem, status=503)
    rotate_token(request)
    response = _welcome(request, next_path)
    send_session(response, visitor)
    return response


def _welcome(request: PageRequest, next_path: str) -> HttpResponse:
    """Return the page after a login: the form with the submitted draft, if there is one.

    It is not a redirect, because a redirect could carry the draft only in its address.
    """
    draft = posted_draft(request.POST)
    return own_page(request, draft) if draft.text else HttpResponseRedirect(next_path)
