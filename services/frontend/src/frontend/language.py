"""Which language a page is in: the visitor's choice, else the browser's.

Chinese is Simplified Chinese, for `zh-TW`, `zh-HK` and `zh-Hant` too: there is no Traditional
one yet, and who reads it reads this more easily than English. That is Django's rule, and meant so.
"""

from django.http import HttpRequest, HttpResponse
from django.utils import translation

from frontend.cookies import read_cookie, set_cookie

LANGUAGES = {"en": "English", "zh-hans": "简体中文"}
LANGUAGE_COOKIE = "language"
YEAR_SECONDS = 365 * 24 * 3600
# The names of BCP 47, as `lang=` and Accept-Language write them.
TAGS = {"en": "en", "zh-hans": "zh-Hans"}


def activate_language(request: HttpRequest) -> str:
    """Choose the request's language, and make it that of this thread's texts; return it."""
    chosen = read_cookie(request, LANGUAGE_COOKIE) or ""
    if chosen not in LANGUAGES:
        chosen = translation.get_language_from_request(request)
    translation.activate(chosen)
    return chosen


def remember_language(response: HttpResponse, language: str) -> None:
    """Have the browser keep the visitor's choice."""
    set_cookie(response, LANGUAGE_COOKIE, language, max_age_seconds=YEAR_SECONDS)
