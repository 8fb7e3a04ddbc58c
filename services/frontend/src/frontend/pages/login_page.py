"""The login form, and the redirect to it for visitors who must log in first."""

from django.http import HttpResponse
from django.utils.translation import gettext

from frontend.pages.drafts import posted_draft
from frontend.pages.showing import redirect_to_login, show
from frontend.pages.visitor import PageRequest


def login_page(
    request: PageRequest, *, next_path: str, status: int = 200, problem: str = ""
) -> HttpResponse:
    """Return the login form. It keeps the submitted name and draft, but not the password."""
    return show(
        request,
        "login.html",
        status=status,
        problem=problem,
        username=request.POST.get("username", ""),
        next_path=next_path,
        draft=posted_draft(request.POST),
    )


def log_in_first(request: PageRequest) -> HttpResponse:
    """Lead to the login page, which keeps any submitted text."""
    if request.method != "POST":
        return redirect_to_login(request)
    if request.POST.get("text"):
        problem = gettext("Please log in again. Your text is kept and waits for you.")
    else:
        problem = gettext("You are not logged in any more. Please log in.")
    return login_page(request, next_path=request.path, problem=problem)
