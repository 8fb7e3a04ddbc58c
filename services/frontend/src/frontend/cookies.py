"""The cookies of the Frontend, apart from Django's own for CSRF.

session   the access token (`visitor.py`)
language  the language that the visitor chose (`language.py`)
notice    what the next page should say (`notices.py`)

None of them is for scripts or for other sites, and behind TLS all are `Secure`.
"""

from django.conf import settings
from django.http import HttpResponse


def set_cookie(response: HttpResponse, name: str, value: str, *, max_age_seconds: int) -> None:
    """Have the browser keep a cookie."""
    response.set_cookie(
        name,
        value,
        max_age=max_age_seconds,
        httponly=True,
        samesite="Lax",
        secure=settings.CSRF_COOKIE_SECURE,
    )


def forget_cookie(response: HttpResponse, name: str) -> None:
    """Have the browser drop a cookie."""
    response.delete_cookie(name, samesite="Lax")
