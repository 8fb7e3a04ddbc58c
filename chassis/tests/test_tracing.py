"""Spans of requests that are malformed or fail; the system's tests check what a collector gets."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.trace import ReadableSpan
from structlog.testing import capture_logs

from mythoughts_chassis.tracing import Tracing

# Headers are decoded as Latin-1. The second kind is nearly well formed.
ANY_HEADER = st.text(st.characters(max_codepoint=255)) | st.from_regex(
    r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]", fullmatch=True
)


@pytest.fixture
def tracing() -> Tracing:
    """Traces that nobody collects."""
    return Tracing(endpoint="http://127.0.0.1:9", service="example", version="1")


@settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(trace_parent=ANY_HEADER, trace_state=ANY_HEADER)
def test_headers_of_any_kind_are_taken(
    tracing: Tracing, trace_parent: str, trace_state: str
) -> None:
    """Whatever a client sends, the request has a span and does not fail."""
    headers = {"traceparent": trace_parent, "tracestate": trace_state}

    with tracing.request("GET", "/", headers) as span:
        assert span.get_span_context().is_valid


class Unreadable(dict[str, str]):
    """Headers that cannot be read."""

    def get(self, *_: object) -> str:
        raise ValueError("unreadable")


def test_fault_of_tracing_is_logged_and_no_more(tracing: Tracing) -> None:
    """A request whose span cannot be created continues without it."""
    with capture_logs() as lines, tracing.request("GET", "/", Unreadable()) as span:
        tracing.note_response(span, "GET", 200, "/")

    assert not span.is_recording()
    assert [line["event"] for line in lines] == ["tracing failed"]


def test_fault_of_the_request_is_not_that_of_tracing(tracing: Tracing) -> None:
    """An error within a span is raised, as without one."""
    with capture_logs() as lines, pytest.raises(KeyError), tracing.request("GET", "/", {}):
        raise KeyError

    assert lines == []


def test_success_while_an_error_is_handled_is_a_success(tracing: Tracing) -> None:
    """What is done because of an error, such as a rollback, has not failed itself."""
    try:
        raise KeyError
    except KeyError:
        with tracing.request("GET", "/", {}) as span:
            pass

    assert isinstance(span, ReadableSpan)
    assert span.status.is_ok
    assert "error.type" not in (span.attributes or {})


def test_answer_that_cannot_be_noted_is_logged(tracing: Tracing) -> None:
    """A span that rejects attributes does not affect the response."""
    with capture_logs() as lines:
        tracing.note_response(None, "GET", 200, "/")  # type: ignore[arg-type]

    assert [line["event"] for line in lines] == ["tracing failed"]
