"""Where traces are sent, and the effect of errors; the system's tests check their contents."""

import pytest
from structlog.testing import capture_logs

from mythoughts_chassis.settings import SettingsError
from mythoughts_chassis.tracing import Tracing, note_answer


@pytest.mark.parametrize("endpoint", ["collector:4318", "grpc://collector:4317", "4318"])
def test_endpoint_must_be_an_http_address(endpoint: str) -> None:
    """Any other endpoint is rejected at startup, with the setting's name."""
    with pytest.raises(SettingsError, match="OTEL_EXPORTER_OTLP_ENDPOINT: must start with http"):
        Tracing(endpoint=endpoint, service="example", version="1")


@pytest.fixture
def tracing() -> Tracing:
    """Traces that nobody collects."""
    return Tracing(endpoint="http://127.0.0.1:9", service="example", version="1")


class Unreadable(dict[str, str]):
    """Headers that cannot be read."""

    def get(self, *_: object) -> str:
        raise ValueError("unreadable")


def test_fault_of_tracing_is_logged_and_no_more(tracing: Tracing) -> None:
    """A request whose span cannot be created continues without it."""
    with capture_logs() as lines, tracing.request("GET", "/", Unreadable()) as span:
        note_answer(span, "GET", 200, "/")

    assert not span.is_recording()
    assert [line["event"] for line in lines] == ["tracing failed"]


def test_fault_of_the_request_is_not_that_of_tracing(tracing: Tracing) -> None:
    """An error within a span is raised, as without one."""
    with capture_logs() as lines, pytest.raises(KeyError), tracing.request("GET", "/", {}):
        raise KeyError

    assert lines == []


def test_answer_that_cannot_be_noted_is_logged(tracing: Tracing) -> None:
    """A span that rejects attributes does not affect the response."""
    with capture_logs() as lines:
        note_answer(None, "GET", 200, "/")  # type: ignore[arg-type]

    assert [line["event"] for line in lines] == ["tracing failed"]
