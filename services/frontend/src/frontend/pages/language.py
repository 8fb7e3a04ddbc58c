"""The language switch."""

from django.http import HttpResponse, HttpResponseRedirect
from django.utils import translation

from frontend.pages.login import login_page
from frontend.pages.rendering import HOME, safe_path
from frontend.pages.thoughts import own_page, posted_draft
from frontend.pages.visitor import LANGUAGES, PageRequest, set_cookie

YEAR_SECONDS = 365 * 24 * 3600


def choose(request: PageRequest) -> HttpResponse:
    """Remember the chosen language and lead back; an unknown language is ignored.

    A text that was being typed is kept in the form of the resulting page.
    """
    if request.method != "POST":
        # This address stays in the browser after a switch with a text.
        return HttpResponseRedirect(HOME)
    chosen = request.POST.get("language", "")
    if chosen not in LANGUAGES:
        return _way_back(request)
    translation.activate(chosen)
    request.language = chosen
    response = _way_back(request)
    set_cookie(response, "language", chosen, max_age_seconds=YEAR_SECONDS)
    return response


def _way_back(request: PageRequest) -> HttpResponse:
    draft = posted_draft(request.POST)
    if not draft.text:
        return HttpResponseRedirect(safe_path(request.POST.get("next", "")))
    if request.visitor.principal is None:
        return login_page(request, next_path=HOME)
    return own_page(request, draft)
