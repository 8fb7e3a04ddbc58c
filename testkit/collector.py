"""A collector of traces: an OTLP/HTTP server on a free port, which keeps the spans it gets.

The form is that of https://opentelemetry.io/docs/specs/otlp/, in protobuf.
"""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan


@dataclass(frozen=True, slots=True)
class Span:
    """A span and its service; ids in hexadecimal digits, times in nanoseconds."""

    service: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    started_at: int
    ended_at: int
    has_failed: bool
    attributes: dict[str, str | int]


class Collector:
    """The spans so far, and where to send more."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.url = ""

    def trace(self, trace_id: str) -> list[Span]:
        """The spans of one trace so far, in the order in which they began."""
        spans = [span for span in list(self.spans) if span.trace_id == trace_id]
        return sorted(spans, key=lambda span: span.started_at)


@contextmanager
def running_collector() -> Iterator[Collector]:
    """A collector that listens."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Keep the spans of a batch."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            is_traces = self.path == "/v1/traces"
            if is_traces:
                collector.spans += _spans_of(ExportTraceServiceRequest.FromString(body))
            self.send_response(200 if is_traces else 404)
            self.send_header("Content-Type", "application/x-protobuf")
            self.end_headers()
            self.wfile.write(ExportTraceServiceResponse().SerializeToString())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    collector.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield collector
    server.shutdown()
    server.server_close()


def _spans_of(batch: ExportTraceServiceRequest) -> Iterator[Span]:
    for group in batch.resource_spans:
        service = str(_attributes(group.resource.attributes)["service.name"])
        for scope in group.scope_spans:
            yield from (_span(service, span) for span in scope.spans)


def _span(service: str, span: ProtoSpan) -> Span:
    return Span(
        service=service,
        name=span.name,
        kind=ProtoSpan.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        started_at=span.start_time_unix_nano,
        ended_at=span.end_time_unix_nano,
        has_failed=span.status.code == span.status.STATUS_CODE_ERROR,
        attributes=_attributes(span.attributes),
    )


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, str | int]:
    """Return attributes, all of which are texts or whole numbers."""
    return {pair.key: pair.value.string_value or pair.value.int_value for pair in pairs}
