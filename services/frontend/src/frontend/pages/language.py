"""The language of a page: the visitor's choice, otherwise the browser's.

Chinese means Simplified Chinese, even for `zh-TW`, `zh-HK` and `zh-Hant`: there is no Traditional
Chinese yet, and its readers find Simplified easier than English. This is Django's own behaviour,
kept on purpose.
"""

from django.http import HttpRequest, HttpResponse
from django.utils import translation

from frontend.pages.cookies import read_cookie, set_cookie

LANGUAGES = {"en": "English", "zh-hans": "简体中文"}
LANGUAGE_COOKIE = "language"
YEAR_SECONDS = 365 * 24 * 3600
# BCP 47 tags, as used in `lang=` and Accept-Language.
TAGS = {"en": "en", "zh-hans": "zh-Hans"}


def activate_language(request: HttpRequest) -> str:
    """Choose the request's language, activate it in this thread, and return it."""
    chosen = read_cookie(request, LANGUAGE_COOKIE) or ""
    if chosen not in LANGUAGES:
        chosen = translation.get_language_from_request(request)
    translation.activate(chosen)
    return chosen


def remember_language(response: HttpResponse, language: str) -> None:
    """Store the visitor's choice in a cookie."""
    set_cookie(response, LANGUAGE_COOKIE, language, max_age_seconds=YEAR_SECONDS)
