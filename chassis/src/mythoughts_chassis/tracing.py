"""Traces by OpenTelemetry: spans, how they hang together, and where they are sent.

Imported only where OTEL_EXPORTER_OTLP_ENDPOINT is set: elsewhere a request costs nothing of it.
A trace goes from service to service in the headers of W3C Trace Context, and names and
attributes of spans follow OpenTelemetry's semantic conventions. Query strings, bodies and the
values of statements are left out, as they are in the logs.

A collector that is slow or away takes nothing from the requests: spans wait in a queue of
bounded length, and another thread sends them. A fault of tracing itself is logged, and the
request goes on without its span.
"""

import atexit
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, StatusCode, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from mythoughts_chassis.requests import KNOWN_METHODS, harmless
from mythoughts_chassis.settings import SettingsError

# How long the end of a process may be held up by sending the last spans.
LAST_SPANS_SECONDS = 2.0

_headers = TraceContextTextMapPropagator()

Attributes = Mapping[str, str | int]


class Tracing:
    """Makes the spans of one service and sends them to the collector at `endpoint`.

    Everything else that OpenTelemetry's variables in the environment can say, such as
    OTEL_TRACES_SAMPLER, its SDK reads itself. Raises `SettingsError` for an endpoint that is
    no http address.
    """

    def __init__(self, *, endpoint: str, service: str, version: str) -> None:
        if not endpoint.startswith(("http://", "https://")):
            raise SettingsError("OTEL_EXPORTER_OTLP_ENDPOINT: must start with http:// or https://")
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": service, "service.version": version}),
            shutdown_on_exit=False,
        )
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer(service, version)
        atexit.register(self._send_last_spans)

    def request(
        self, method: str, path: str, headers: Mapping[str, str]
    ) -> AbstractContextManager[Span]:
        """Trace a request that this service answers; `note_answer` completes the span.

        `headers` may hold `traceparent` and `tracestate`, by names in lower case.
        """
        known = method if method in KNOWN_METHODS else "_OTHER"
        attributes = {"http.request.method": known, "url.path": path}
        return _unfailing(self._span(_name(method), SpanKind.SERVER, attributes, headers))

    def call(self, name: str, attributes: Attributes) -> AbstractContextManager[Span]:
        """Trace what another process does for this one, as a part of the present span.

        Where that is not recorded, no time is lost on its parts.
        """
        present = get_current_span()
        if not present.is_recording():
            return nullcontext(present)
        return _unfailing(self._span(name, SpanKind.CLIENT, attributes))

    @contextmanager
    def _span(
        self,
        name: str,
        kind: SpanKind,
        attributes: Attributes,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[Span]:
        with self._tracer.start_as_current_span(
            name,
            context=None if headers is None else _headers.extract(headers),
            kind=kind,
            attributes=attributes,
            # The text of an error may hold values. The log has it.
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield span
            except BaseException as error:
                mark_as_failed(span, type(error).__name__)
                raise

    def _send_last_spans(self) -> None:
        # The SDK's own way waits for as long as 30 seconds.
        sending = threading.Thread(target=self._provider.shutdown, daemon=True)
        sending.start()
        sending.join(LAST_SPANS_SECONDS)


@contextmanager
def _unfailing(making_span: AbstractContextManager[Span]) -> Iterator[Span]:
    """Log the faults of tracing itself; if no span can be made, give one that records nothing."""
    span: Span = INVALID_SPAN
    ending = ExitStack()
    with harmless("tracing"):
        span = ending.enter_context(making_span)
    try:
        yield span
    finally:
        with harmless("tracing"):
            ending.__exit__(*sys.exc_info())


def note_answer(span: Span, method: str, status: int, route: str | None) -> None:
    """Say how a request was answered; `route` is the template, None if there is none."""
    with harmless("tracing"):
        span.set_attribute("http.response.status_code", status)
        if route is not None:
            span.set_attribute("http.route", route)
            span.update_name(f"{_name(method)} {route}")
        if status >= 500:
            mark_as_failed(span, str(status))


def current_headers() -> dict[str, str]:
    """Return the headers that make the request they are sent with part of the present span.

    There are none where OTEL_SDK_DISABLED is set.
    """
    headers: dict[str, str] = {}
    with harmless("tracing"):
        _headers.inject(headers)
    return headers


def mark_as_failed(span: Span, error_type: str) -> None:
    """Say that what the span is about went wrong."""
    span.set_attribute("error.type", error_type)
    span.set_status(StatusCode.ERROR)


def _name(method: str) -> str:
    """Return the method as a span's name; a made-up one would be a name of its own."""
    return method if method in KNOWN_METHODS else "HTTP"
