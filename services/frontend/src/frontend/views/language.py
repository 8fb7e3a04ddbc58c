"""The language switch."""

from django.http import HttpResponse, HttpResponseRedirect

from frontend.language import LANGUAGES, remember_language
from frontend.pages import safe_path
from frontend.visitor import PageRequest


def choose(request: PageRequest) -> HttpResponse:
    """Remember the language that was chosen, and lead back; another one changes nothing."""
    response = HttpResponseRedirect(safe_path(request.POST.get("next", "")))
    chosen = request.POST.get("language", "")
    if chosen in LANGUAGES:
        remember_language(response, chosen)
    return response
