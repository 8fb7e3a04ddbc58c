"""Django's configuration. Only process-wide settings; everything else travels with requests."""

import logging
import secrets
from collections.abc import Sequence
from pathlib import Path

import django
from django.conf import settings
from django.core.cache import close_caches
from django.core.handlers.base import reset_urlconf
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, reset_queries

from frontend.pages.cookies import cookie_name
from frontend.pages.visitor import LANGUAGES

PACKAGE = Path(__file__).parent


def configure_django(*, behind_tls: bool, allowed_hosts: Sequence[str]) -> None:
    """Set up Django once per process: no database, no sessions, no admin."""
    if settings.configured:
        return
    settings.configure(
        # Nothing is signed with it: the session is a token of the Users Backend, and the CSRF
        # token is a random cookie. So it need not outlive the process or be configurable.
        SECRET_KEY=secrets.token_urlsafe(50),
        # No address is ever built from the Host header, so any host is safe.
        ALLOWED_HOSTS=list(allowed_hosts) or ["*"],
        ROOT_URLCONF="frontend.pages.urls",
        MIDDLEWARE=[
            "frontend.pages.middleware.CompressPages",
            "frontend.pages.middleware.PageMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
        ],
        LANGUAGE_CODE="en",
        LANGUAGES=list(LANGUAGES.items()),
        LOCALE_PATHS=[PACKAGE / "locale"],
        USE_TZ=True,
        APPEND_SLASH=False,
        CSRF_COOKIE_NAME=cookie_name("csrf", behind_tls=behind_tls),
        CSRF_COOKIE_SECURE=behind_tls,
        CSRF_COOKIE_HTTPONLY=True,
        CSRF_COOKIE_SAMESITE="Lax",
        CSRF_FAILURE_VIEW="frontend.pages.error_pages.csrf_failure",
        # The service configures its own logging.
        LOGGING_CONFIG=None,
    )
    django.setup()
    # There are no connections to databases and caches to close, and no other URLs to reset.
    request_started.disconnect(reset_queries)
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    request_finished.disconnect(close_caches)
    request_finished.disconnect(reset_urlconf)
    logging.getLogger("django.request").addFilter(_is_fault)
    # Requests that Django refuses are no faults of the service; `error_pages.py` logs those that
    # fail the CSRF check, with more details.
    logging.getLogger("django.security").setLevel(logging.CRITICAL + 1)


def _is_fault(record: logging.LogRecord) -> bool:
    """Every response is already logged; only exceptions behind a 500 are known to Django alone."""
    return record.exc_info is not None and getattr(record, "status_code", 500) >= 500
