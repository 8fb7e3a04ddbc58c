"""One's own sessions: where one is logged in, and ending them."""

from django.http import HttpResponse, HttpResponseRedirect

from frontend.backends.cursors import cursor_in
from frontend.pages.rendering import redirect_with_notice, show
from frontend.pages.visitor import PageRequest, for_users

SESSIONS = "/account/sessions/"


@for_users
def own(request: PageRequest) -> HttpResponse:
    """The user's sessions, newest first."""
    page = request.parts.users.sessions(request.caller, cursor_in(request.GET))
    return show(request, "sessions.html", page=page)


@for_users
def end(request: PageRequest, session_id: int) -> HttpResponse:
    """End one session; this one is ended by logging out."""
    if request.method != "POST":
        # This address stays in the browser after a login.
        return HttpResponseRedirect(SESSIONS)
    request.parts.users.end_session(request.caller, session_id)
    return redirect_with_notice(SESSIONS, "session-ended")


@for_users
def end_others(request: PageRequest) -> HttpResponse:
    """End all sessions but this one."""
    if request.method != "POST":
        return HttpResponseRedirect(SESSIONS)
    request.parts.users.end_other_sessions(request.caller)
    return redirect_with_notice(SESSIONS, "sessions-ended")
