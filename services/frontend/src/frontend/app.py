"""Assembles the Frontend as one WSGI application (PEP 3333)."""

import logging
import secrets
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING
from wsgiref.types import WSGIApplication

import django
from django.conf import settings as django_settings
from django.core.cache import close_caches
from django.core.handlers.base import reset_urlconf
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, reset_queries

from frontend.backends.errors import BackendName
from frontend.backends.http_client import HttpClient
from frontend.backends.places import Places
from frontend.backends.thoughts_backend import ThoughtsBackend
from frontend.backends.users_backend import UsersBackend
from frontend.pages.page_request import LANGUAGES, PageRequest, Parts, cookie_name
from frontend.serving.health import Readiness, answer_health
from frontend.serving.observation import observe, trace_requests
from frontend.serving.static_files import serve_static_files
from frontend.settings import Settings
from mythoughts_chassis.ended_sessions import EndedSessions
from mythoughts_chassis.observation import start_observation
from mythoughts_chassis.tls import context_for
from mythoughts_chassis.tokens import TokenVerifier

if TYPE_CHECKING:
    from mythoughts_chassis.tracing import Tracing

PACKAGE = Path(__file__).parent

# How many logins may wait, and how many changes of passwords. Each holds a thread.
MAX_WAITING = 2


class PageHandler(WSGIHandler):
    """Django's WSGI application. Its requests carry `parts`, so that pages need no globals."""

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self.request_class = partial(PageRequest, parts=parts)  # type: ignore[assignment]


def create_app(settings: Settings, readiness: Readiness, ended: EndedSessions) -> WSGIApplication:
    """Return the application; raises `KeySetError` if the public keys cannot be read."""
    configure_django(behind_tls=settings.behind_tls, allowed_hosts=settings.allowed_hosts)
    tracing = start_observation(settings, "frontend", version("frontend"))
    pages = PageHandler(_make_parts(settings, tracing, ended))
    app = answer_health(serve_static_files(pages), readiness)
    observed = observe(app, settings.transport_headers)
    return observed if tracing is None else trace_requests(observed, tracing)


def ended_sessions_for(settings: Settings) -> EndedSessions:
    """Return the sessions that have ended; raises `KeySetError` like `create_app`."""
    return EndedSessions(
        settings.users_backend_url,
        public_keys_path=settings.token_public_keys_path,
        issuer=settings.token_issuer,
        tls=context_for(settings.users_backend_url, settings.backend_ca_path),
    )


def _make_parts(settings: Settings, tracing: "Tracing | None", ended: EndedSessions) -> Parts:
    def client(backend: BackendName, base_url: str) -> HttpClient:
        return HttpClient(
            backend=backend,
            base_url=base_url,
            slots=settings.backend_connections,
            connect_seconds=settings.backend_connect_seconds,
            answer_seconds=settings.backend_answer_seconds,
            tls=context_for(base_url, settings.backend_ca_path),
            tracing=tracing,
        )

    return Parts(
        verifier=TokenVerifier(
            public_keys_path=settings.token_public_keys_path,
            issuer=settings.token_issuer,
            audience=settings.token_audience,
            ended=ended,
        ),
        thoughts=ThoughtsBackend(client("thoughts", settings.thoughts_backend_url)),
        users=UsersBackend(
            client("users", settings.users_backend_url),
            # If there are at least three connections, one is left for all other calls.
            logins=Places(at_once=max(settings.backend_connections - 2, 1), waiting=MAX_WAITING),
            passwords=Places(at_once=1, waiting=MAX_WAITING),
        ),
        registration_is_open=settings.registration == "open",
        trusted_proxies=settings.trusted_proxies,
    )


def configure_django(*, behind_tls: bool, allowed_hosts: Sequence[str]) -> None:
    """Set up Django once per process: no database, no sessions, no admin.

    These are process-wide settings only; everything else travels with requests.
    """
    if django_settings.configured:
        return
    django_settings.configure(
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
    # There are no database or cache connections to close, and no URL configuration to reset.
    request_started.disconnect(reset_queries)
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    request_finished.disconnect(close_caches)
    request_finished.disconnect(reset_urlconf)
    logging.getLogger("django.request").addFilter(_is_fault)
    # A request that Django refuses is not a fault of the service. `error_pages.py` logs failed CSRF
    # checks in more detail.
    logging.getLogger("django.security").setLevel(logging.CRITICAL + 1)


def _is_fault(record: logging.LogRecord) -> bool:
    """Every response is already logged; only exceptions behind a 500 are known to Django alone."""
    return record.exc_info is not None and getattr(record, "status_code", 500) >= 500
