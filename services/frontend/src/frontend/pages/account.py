"""The user's own account: creating and deleting it, its password and its sessions."""

import structlog
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext

from frontend.backends.cursors import cursor_in
from frontend.backends.errors import BackendAway, Conflict, Forbidden, TooManyRequests
from frontend.pages.forms import (
    Refusal,
    answer_form,
    must_wait,
    new_password_in,
    password_checked,
)
from frontend.pages.login import enter
from frontend.pages.page_request import PageRequest, for_users
from frontend.pages.rendering import HOME, redirect_with_notice, set_notice, show
from frontend.pages.words import reason_in_words
from mythoughts_chassis.settings import Secret

ACCOUNT = "/account/"
SESSIONS = "/account/sessions/"

_log = structlog.get_logger()


def register(request: PageRequest) -> HttpResponse:
    """Create an account and log in."""
    if not request.parts.registration_is_open:
        raise Http404
    return answer_form(request, "register.html", _register)


def _register(request: PageRequest) -> HttpResponse:
    caller = request.stranger
    username = request.POST.get("username", "").strip()
    password = new_password_in(request, "password")
    try:
        request.parts.users.register(caller, username=username, password=password)
    except Conflict as conflict:
        raise Refusal(username=reason_in_words(str(conflict))) from None
    except Forbidden:
        # The Users Backend decides, by its own setting.
        raise Refusal(username=gettext("Registration is closed.")) from None
    try:
        logged_in = request.parts.users.log_in(caller, username=username, password=password)
        if logged_in is not None:
            response = enter(request, logged_in, HOME)
            set_notice(response, "registered")
            return response
    except (BackendAway, TooManyRequests) as error:
        _log.warning("login after registration not possible", reason=str(error))
    return redirect_with_notice("/login/", "registered-log-in")


@for_users
def overview(request: PageRequest) -> HttpResponse:
    """The overview of the account, with links to everything that can be changed."""
    return show(request, "account.html")


@for_users
def change_password(request: PageRequest) -> HttpResponse:
    """Change the password, which ends all other sessions."""
    return answer_form(request, "password.html", _change_password)


def _change_password(request: PageRequest) -> HttpResponse:
    new_password = new_password_in(request, "new_password")
    password = Secret(request.POST.get("password", ""))
    with password_checked():
        request.parts.users.change_password(
            request.caller, password=password, new_password=new_password
        )
    return redirect_with_notice(ACCOUNT, "password-changed")


@for_users
def sessions(request: PageRequest) -> HttpResponse:
    """The user's sessions, newest first."""
    page = request.parts.users.sessions(request.caller, cursor_in(request.GET))
    return show(request, "sessions.html", page=page)


@for_users
def end_session(request: PageRequest, session_id: int) -> HttpResponse:
    """End one session; this one is ended by logging out."""
    if request.method != "POST":
        # This address stays in the browser after a login.
        return HttpResponseRedirect(SESSIONS)
    request.parts.users.end_session(request.caller, session_id)
    return redirect_with_notice(SESSIONS, "session-ended")


@for_users
def end_other_sessions(request: PageRequest) -> HttpResponse:
    """End all sessions but this one."""
    if request.method != "POST":
        return HttpResponseRedirect(SESSIONS)
    request.parts.users.end_other_sessions(request.caller)
    return redirect_with_notice(SESSIONS, "sessions-ended")


@for_users
def delete_account(request: PageRequest) -> HttpResponse:
    """Delete the account after asking for the password."""
    return answer_form(request, "delete_account.html", _delete_account)


def _delete_account(request: PageRequest) -> HttpResponse:
    """Delete the thoughts and then the user.

    In the other order, a failure halfway would leave thoughts that nobody can delete, because a
    user's sessions end with the user. In this order, the deletion can be repeated until it is
    complete.
    """
    password = Secret(request.POST.get("password", ""))
    with password_checked():
        request.parts.users.delete_account(request.caller, password=password, dry_run=True)
        _delete_thoughts(request)
        _delete_user(request, password)
    request.log_out()
    return redirect_with_notice("/login/", "account-deleted")


def _delete_thoughts(request: PageRequest) -> None:
    try:
        request.parts.thoughts.delete_all(request.caller)
    except BackendAway:
        problem = gettext(
            "Not everything could be deleted. Please try again in a minute, until everything is "
            "deleted."
        )
        raise Refusal(problem, 503) from None


def _delete_user(request: PageRequest, password: Secret) -> None:
    """Delete the user; their thoughts have already been deleted."""
    try:
        request.parts.users.delete_account(request.caller, password=password, dry_run=False)
    except TooManyRequests as limit:
        problem = gettext(
            "Your thoughts have been deleted, but not yet your account. "
            "Please try again in %(time)s."
        )
        raise must_wait(limit, problem) from None
    except BackendAway:
        # The user may have been deleted, and only the answer was lost.
        problem = gettext(
            "Your thoughts have been deleted, but perhaps not your account. Please try again in a "
            "minute. If you can no longer log in, the deletion is complete."
        )
        raise Refusal(problem, 503) from None
