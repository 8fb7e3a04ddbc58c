"""The language switch."""

from django.http import HttpResponse, HttpResponseRedirect
from django.utils import translation

from frontend.pages.login import go_on
from frontend.pages.rendering import HOME, safe_path
from frontend.pages.visitor import LANGUAGES, PageRequest, set_cookie

YEAR_SECONDS = 365 * 24 * 3600


def choose(request: PageRequest) -> HttpResponse:
    """Remember the chosen language and lead back; an unknown language is ignored.

    A text that was being typed is kept in the form of the resulting page.
    """
    if request.method != "POST":
        # This address stays in the browser after a switch with a text.
        return HttpResponseRedirect(HOME)
    next_path = safe_path(request.POST.get("next", ""))
    chosen = request.POST.get("language", "")
    if chosen not in LANGUAGES:
        return go_on(request, next_path)
    translation.activate(chosen)
    request.language = chosen
    response = go_on(request, next_path)
    set_cookie(response, "language", chosen, max_age_seconds=YEAR_SECONDS)
    return response
