"""Request ids and metrics."""

import re
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from mythoughts_chassis.observation import (
    RequestIds,
    metrics_page,
    observe_request,
    request_id_of,
    start_observation,
    trace_parent_of,
)
from mythoughts_chassis.settings import ServiceSettings

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.mark.parametrize("header", ["a", "A-b_c.9", "x" * 128])
def test_well_formed_id_is_kept(header: str) -> None:
    """An id consists of 1 to 128 letters, digits, dots, hyphens and underscores."""
    assert request_id_of(header) == header


@pytest.mark.parametrize("header", [None, "", "x" * 129, "a b", "a\n", "é", "a,b", "<a>"])
def test_other_id_is_replaced(header: str | None) -> None:
    """Anything else is replaced with a new id."""
    assert re.fullmatch("[0-9a-f]{32}", request_id_of(header))


def test_new_ids_differ() -> None:
    """No two new ids are the same."""
    assert request_id_of(None) != request_id_of(None)


def test_well_formed_trace_is_kept() -> None:
    """A `traceparent` of version 00 is passed on unchanged."""
    assert trace_parent_of(TRACE) == TRACE


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "nonsense",
        TRACE.upper(),
        TRACE + "-00",
        TRACE + "\n",
        TRACE.replace("00-4", "ff-4"),
        TRACE.replace("4bf92f3577b34da6a3ce929d0e0e4736", "0" * 32),
        TRACE.replace("00f067aa0ba902b7", "0" * 16),
        TRACE[:-1],
    ],
)
def test_other_trace_is_dropped(header: str | None) -> None:
    """An invalid `traceparent`, by W3C Trace Context, is ignored."""
    assert trace_parent_of(header) is None


def test_trace_id_is_the_second_part() -> None:
    """The trace id is the one that all services log for a trace."""
    assert RequestIds("a", TRACE).trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert RequestIds("a").trace_id is None


def count(method: str, route: str, status: str) -> float:
    """The number of requests counted with these labels."""
    labels = {"method": method, "route": route, "status": status}
    return REGISTRY.get_sample_value("http_request_duration_seconds_count", labels) or 0


def test_request_is_counted() -> None:
    """A request is counted by method, route and status."""
    before = count("GET", "/counted/{id}", "200")

    observe_request(method="GET", route="/counted/{id}", path="/counted/1", status=200, seconds=0.1)

    assert count("GET", "/counted/{id}", "200") == before + 1


def test_made_up_request_makes_no_label() -> None:
    """Unknown methods and paths without a route share their labels."""
    before = count("other", "unmatched", "404")

    observe_request(method="BREW", route=None, path="/pot-7", status=404, seconds=0.1)

    page = metrics_page()[0].decode()
    assert count("other", "unmatched", "404") == before + 1
    assert "BREW" not in page
    assert "pot-7" not in page


def test_build_info_names_the_service() -> None:
    """The metrics contain the service's name and version, also without tracing."""
    settings = ServiceSettings(token_public_keys_path=Path("/keys"))

    assert start_observation(settings, "example", "1.2.3") is None
    assert b'mythoughts_build_info{service="example",version="1.2.3"} 1.0' in metrics_page()[0]


def test_metrics_say_their_format() -> None:
    """The content type is that of the Prometheus text format."""
    assert metrics_page()[1].startswith("text/plain; version=")
