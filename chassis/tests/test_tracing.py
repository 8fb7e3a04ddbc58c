"""Spans of requests that are malformed or fail; the system's tests check what a collector gets."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mythoughts_chassis.tracing import Tracing

# Headers are decoded as Latin-1. The second kind is nearly well formed.
ANY_HEADER = st.text(st.characters(max_codepoint=255)) | st.from_regex(
    r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]", fullmatch=True
)


@pytest.fixture
def tracing() -> Tracing:
    """Traces that nobody collects."""
    return Tracing(endpoint="http://127.0.0.1:9", service="example", version="1")


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(trace_parent=ANY_HEADER, trace_state=ANY_HEADER)
def test_headers_of_any_kind_are_taken(
    tracing: Tracing, trace_parent: str, trace_state: str
) -> None:
    """Whatever a client sends, the request has a span and does not fail."""
    headers = {"traceparent": trace_parent, "tracestate": trace_state}

    with tracing.request("GET", "/", headers) as span:
        assert span.get_span_context().is_valid


def test_fault_of_the_request_is_not_that_of_tracing(tracing: Tracing) -> None:
    """An error within a span is raised, as without one."""
    with pytest.raises(KeyError), tracing.request("GET", "/", {}):
        raise KeyError
