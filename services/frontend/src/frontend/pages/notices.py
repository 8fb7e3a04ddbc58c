"""One-time notices on the next page that something was done; they travel in a cookie."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy

from frontend.pages.cookies import read_cookie, set_cookie

NOTICE_COOKIE = "notice"
NOTICES = {
    "shared": gettext_lazy("Your thought is shared."),
    "deleted": gettext_lazy("The thought is deleted."),
    "logged-out": gettext_lazy("You are logged out."),
}


def redirect_with_notice(path: str, notice: str) -> HttpResponse:
    """Redirect to `path`, whose page will show this notice."""
    response = HttpResponseRedirect(path)
    set_cookie(response, NOTICE_COOKIE, notice, max_age_seconds=60)
    return response


def notice_for(request: HttpRequest) -> str:
    """Return the notice for this page, or an empty string."""
    text = NOTICES.get(read_cookie(request, NOTICE_COOKIE) or "")
    return str(text or "")
