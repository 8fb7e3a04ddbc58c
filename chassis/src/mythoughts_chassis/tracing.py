"""Tracing with OpenTelemetry: creates spans, connects them, and sends them to a collector.

Imported only if OTEL_EXPORTER_OTLP_ENDPOINT is set; otherwise requests pay nothing for tracing.
W3C Trace Context headers carry a trace from service to service, and span names and attributes
follow OpenTelemetry's semantic conventions. As in the logs, query strings, bodies and the
values of statements are omitted.

A slow or unavailable collector does not delay requests: spans wait in a bounded queue, and
another thread sends them. Errors of tracing itself are logged, and the request continues
without its span.
"""

import atexit
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, StatusCode, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from mythoughts_chassis.observation import KNOWN_METHODS, harmless

# How long sending the last spans may delay the end of the process.
LAST_SPANS_SECONDS = 2.0

_headers = TraceContextTextMapPropagator()

Attributes = Mapping[str, str | int]


class Tracing:
    """Creates the spans of one service and sends them to the collector at `endpoint`.

    The SDK itself reads OpenTelemetry's other environment variables, such as
    OTEL_TRACES_SAMPLER.
    """

    def __init__(self, *, endpoint: str, service: str, version: str) -> None:
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
        """Trace a request that this service answers; `note_response` completes the span.

        `headers` may contain `traceparent` and `tracestate`, with names in lower case.
        """
        known = method if method in KNOWN_METHODS else "_OTHER"
        attributes = {"http.request.method": known, "url.path": path}
        return self._span(_name(method), SpanKind.SERVER, attributes, headers)

    def call(self, name: str, attributes: Attributes) -> AbstractContextManager[Span]:
        """Trace a call to another process as a child of the current span.

        Costs no time if the current span is not recorded.
        """
        present = get_current_span()
        if not present.is_recording():
            return nullcontext(present)
        return self._span(name, SpanKind.CLIENT, attributes)

    @staticmethod
    def note_response(span: Span, method: str, status: int, route: str | None) -> None:
        """Record how a request was answered; `route` is the template, None if there is none."""
        with harmless("tracing"):
            span.set_attribute("http.response.status_code", status)
            if route is not None:
                span.set_attribute("http.route", route)
                span.update_name(f"{_name(method)} {route}")
            if status >= 500:
                _mark_as_failed(span, str(status))

    @staticmethod
    def current_headers() -> dict[str, str]:
        """Return the headers that make an outgoing request a child of the current span.

        There are none if OTEL_SDK_DISABLED is set.
        """
        headers: dict[str, str] = {}
        with harmless("tracing"):
            _headers.inject(headers)
        return headers

    @contextmanager
    def _span(
        self,
        name: str,
        kind: SpanKind,
        attributes: Attributes,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[Span]:
        """Make a span of a block, and log errors of tracing itself.

        If no span can be created, this yields one that records nothing.
        """
        span: Span = INVALID_SPAN
        ending = ExitStack()
        with harmless("tracing"):
            context = None if headers is None else _headers.extract(headers)
            span = ending.enter_context(
                self._tracer.start_as_current_span(
                    name,
                    context=context,
                    kind=kind,
                    attributes=attributes,
                    # The text of an error may contain values; it is in the log.
                    record_exception=False,
                    set_status_on_exception=False,
                )
            )
        try:
            yield span
        except BaseException as error:
            with harmless("tracing"):
                _mark_as_failed(span, type(error).__name__)
            raise
        finally:
            with harmless("tracing"):
                ending.close()

    def _send_last_spans(self) -> None:
        # The SDK's own shutdown waits up to 30 seconds.
        sending = threading.Thread(target=self._provider.shutdown, daemon=True)
        sending.start()
        sending.join(LAST_SPANS_SECONDS)


def _mark_as_failed(span: Span, error_type: str) -> None:
    """Record that the operation of the span failed."""
    span.set_attribute("error.type", error_type)
    span.set_status(StatusCode.ERROR)


def _name(method: str) -> str:
    """Return the method as a span name, or "HTTP" for an unknown method."""
    return method if method in KNOWN_METHODS else "HTTP"
