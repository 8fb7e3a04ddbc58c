"""The user's own thoughts: reading, sharing, deleting."""

from datetime import UTC, datetime

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext

from frontend.backends.calls import Caller, ThoughtPage
from frontend.backends.cursors import Cursor, cursor_in
from frontend.backends.errors import BackendAway, BackendRefused, ThoughtDeleted
from frontend.pages.drafts import Draft, posted_draft, why_refused
from frontend.pages.login_page import log_in_first
from frontend.pages.notices import redirect_with_notice
from frontend.pages.showing import HOME, redirect_to_login, show
from frontend.pages.visitor import PageRequest


def own(request: PageRequest) -> HttpResponse:
    """The user's own thoughts, and the form to share one."""
    if request.visitor.principal is None:
        return redirect_to_login(request)
    return own_page(request, Draft())


def share(request: PageRequest) -> HttpResponse:
    """Share a thought; if that fails, the form keeps the text."""
    if request.method != "POST":
        # This address stays in the browser after a refused text.
        return HttpResponseRedirect(HOME)
    if request.visitor.principal is None:
        return log_in_first(request)
    draft = posted_draft(request.POST)
    try:
        request.parts.thoughts.share(
            _caller(request), text=draft.text, idempotency_key=draft.idempotency_key
        )
    except BackendRefused as refusal:
        # Status 200, as after a failed login: the user can correct the form, while browsers report
        # any 4xx as an error.
        return own_page(request, draft, problem=why_refused(draft.text, str(refusal)))
    except ThoughtDeleted:
        problem = gettext(
            "You shared this before, and it has been deleted since. It was not shared now. "
            "Press Share again if it should be."
        )
        return own_page(request, Draft(draft.text), problem=problem)
    except BackendAway:
        problem = gettext(
            "Your thought could not be shared at the moment. Your text is still here: "
            "please press Share again in a minute. It will not be shared twice."
        )
        # Without the list: it would come from the same backend.
        return form_page(request, draft, status=503, problem=problem)
    return redirect_with_notice(HOME, "shared")


def delete(request: PageRequest, thought_id: int) -> HttpResponse:
    """Delete one of the user's thoughts; GET asks for confirmation."""
    principal = request.visitor.principal
    if principal is None:
        return log_in_first(request)
    if request.method == "POST":
        request.parts.thoughts.delete(_caller(request), thought_id)
        return redirect_with_notice(HOME, "deleted")
    thought = request.parts.thoughts.find_thought(_caller(request), thought_id)
    if thought is None or thought.username != principal.username:
        raise Http404
    return show(request, "delete.html", thought=thought, now=datetime.now(UTC))


def form_page(request: PageRequest, draft: Draft, *, status: int, problem: str) -> HttpResponse:
    """Return the form with `draft` in it, without calling any backend."""
    return _show_own(request, draft, None, None, status=status, problem=problem, fault="")


def own_page(request: PageRequest, draft: Draft, *, problem: str = "") -> HttpResponse:
    """Return the page of the user's own thoughts with `draft` in its form.

    If the Thoughts Backend is down, it is only the form, with status 503.
    """
    cursor = cursor_in(request.GET)
    page: ThoughtPage | None = None
    status, fault = 200, ""
    try:
        page = request.parts.thoughts.own_thoughts(_caller(request), cursor)
    except BackendAway:
        status = 503
        fault = gettext(
            "Your thoughts cannot be shown at the moment. They are safe. "
            "Please try again in a minute."
        )
    except BackendRefused:
        status = 400
        fault = gettext("There is no such page of your thoughts.")
    return _show_own(request, draft, page, cursor, status=status, problem=problem, fault=fault)


def _show_own(
    request: PageRequest,
    draft: Draft,
    page: ThoughtPage | None,
    cursor: Cursor | None,
    *,
    status: int,
    problem: str,
    fault: str,
) -> HttpResponse:
    return show(
        request,
        "thoughts.html",
        status=status,
        draft=draft,
        problem=problem,
        fault=fault,
        page=page,
        is_first=cursor is None,
        now=datetime.now(UTC),
    )


def _caller(request: PageRequest) -> Caller:
    return Caller(request.visitor.token, request.language)
