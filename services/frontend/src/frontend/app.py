"""Assembles the Frontend as one WSGI application (PEP 3333)."""

from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING
from wsgiref.types import WSGIApplication

from django.core.handlers.wsgi import WSGIHandler

from frontend.backends.errors import BackendName
from frontend.backends.http_client import HttpClient
from frontend.backends.places import Places
from frontend.backends.thoughts_backend import ThoughtsBackend
from frontend.backends.users_backend import UsersBackend
from frontend.django_settings import configure_django
from frontend.pages.visitor import PageRequest, Parts
from frontend.serving.health import Readiness, answer_health
from frontend.serving.observation import observe
from frontend.serving.static_files import serve_static_files
from frontend.serving.tracing import trace_requests
from frontend.settings import Settings
from mythoughts_chassis.ended_sessions import EndedSessions
from mythoughts_chassis.observation import start_observation
from mythoughts_chassis.tls import context_for
from mythoughts_chassis.tokens import TokenVerifier

if TYPE_CHECKING:
    from mythoughts_chassis.tracing import Tracing

# Logins that wait, and changes of passwords: both hold a thread.
MAX_WAITING = 2


class PageHandler(WSGIHandler):
    """Django's WSGI application; its requests carry `parts`, so that the pages need no globals."""

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
