"""One trace of a page, from the browser's request down to SQL, as a collector gets it."""

import json
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from local.process import Process
from local.stack import Stack, temporary_stack
from testkit.collector import Collector, Span, running_collector
from testkit.http_client import HttpClient
from testkit.system import System, system_of
from testkit.waiting import wait_until

CLIENTS_SPAN = "00f067aa0ba902b7"


def send_traces(stack: Stack, endpoint: str, **more: str) -> None:
    """Start the services again, with traces."""
    for service in stack.services.values():
        service.environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint
        service.environment["OTEL_BSP_SCHEDULE_DELAY"] = "50"
        service.environment.update(more)
    stack.restart(*stack.services)


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    """A collector."""
    with running_collector() as collector:
        yield collector


@pytest.fixture(scope="module")
def traced_stack(collector: Collector) -> Iterator[Stack]:
    """A system that sends its traces to the collector."""
    with temporary_stack() as stack:
        send_traces(stack, collector.url)
        yield stack


@pytest.fixture
def traced_system(traced_stack: Stack) -> System:
    """How its clients see it."""
    return system_of(traced_stack)


def traced(*, sampled: bool = True) -> tuple[str, dict[str, str]]:
    """A new trace: its id, and the headers of a request that belongs to it."""
    trace_id = secrets.token_hex(16)
    return trace_id, {"traceparent": f"00-{trace_id}-{CLIENTS_SPAN}-0{int(sampled)}"}


def spans_of(collector: Collector, trace_id: str, *, count: int) -> list[Span]:
    """The spans of a trace, once there are this many."""
    wait_until(lambda: len(collector.trace(trace_id)) >= count, what=f"{count} spans arrive")
    return collector.trace(trace_id)


def test_page_is_one_trace_down_to_sql(traced_system: System, collector: Collector) -> None:
    """The page, the call of the Frontend, the backend's answer, its statement: each has a span."""
    trace_id, headers = traced()

    HttpClient(traced_system.frontend_url).get("/search", headers=headers)

    page, call, answer, statement = spans_of(collector, trace_id, count=4)
    assert [(span.service, span.name, span.kind) for span in (page, call, answer, statement)] == [
        ("frontend", "GET /search", "server"),
        ("frontend", "GET", "client"),
        ("thoughts-backend", "GET /api/thoughts", "server"),
        ("thoughts-backend", "SELECT thoughts", "client"),
    ]
    assert [span.parent_id for span in (page, call, answer, statement)] == [
        CLIENTS_SPAN,
        page.span_id,
        call.span_id,
        answer.span_id,
    ]


def test_spans_lie_within_those_around_them(traced_system: System, collector: Collector) -> None:
    """Within a service, what is part of something ends before it.

    Between two, the caller may be done with an answer before its sender is.
    """
    trace_id, headers = traced()

    HttpClient(traced_system.frontend_url).get("/search", headers=headers)

    page, call, answer, statement = spans_of(collector, trace_id, count=4)
    assert page.ended_at > call.ended_at
    assert answer.ended_at > statement.ended_at


def test_spans_say_what_happened(traced_system: System, collector: Collector) -> None:
    """Attributes are those of the semantic conventions for HTTP and databases."""
    trace_id, headers = traced()

    traced_system.thoughts().get("/api/thoughts/4711/", headers=headers)

    answer, statement = spans_of(collector, trace_id, count=2)
    assert answer.attributes == {
        "http.request.method": "GET",
        "http.route": "/api/thoughts/{thought_id}",
        "http.response.status_code": 404,
        "url.path": "/api/thoughts/4711/",
    }
    assert statement.attributes["db.system.name"] == "postgresql"
    assert statement.attributes["db.namespace"] == "thoughts"
    assert statement.attributes["server.address"] == "127.0.0.1"
    assert "WHERE id = $1" in str(statement.attributes["db.query.text"])


def test_every_statement_of_a_transaction_is_a_span(
    traced_system: System, collector: Collector
) -> None:
    """The beginning and the end of a transaction take time too."""
    user = traced_system.new_user()
    trace_id, headers = traced()

    traced_system.thoughts(user).post(
        "/api/me/thoughts/", json={"text": "traced"}, headers={**headers, "Idempotency-Key": "a"}
    )

    names = [span.name for span in spans_of(collector, trace_id, count=6)]
    assert names[0] == "POST /api/me/thoughts"
    assert names[1] == "BEGIN thoughts"
    assert names[-1] == "COMMIT thoughts"


def test_failures_are_marked(traced_stack: Stack, collector: Collector) -> None:
    """Without the Thoughts Backend, both the page and its call have failed."""
    trace_id, headers = traced()
    traced_stack.services["thoughts"].stop()

    HttpClient(traced_stack.urls["frontend"]).get("/search", headers=headers)

    traced_stack.restart("thoughts")
    page, *calls = spans_of(collector, trace_id, count=2)
    assert page.has_failed
    assert page.attributes["error.type"] == "503"
    assert all(call.has_failed for call in calls)


def test_no_value_is_in_a_trace(traced_system: System, collector: Collector) -> None:
    """Searches, texts, names, passwords and tokens stay out of the spans."""
    user = traced_system.new_user("Confidential Ana")
    trace_id, headers = traced()

    HttpClient(traced_system.frontend_url).get("/search?search=confidential", headers=headers)
    traced_system.thoughts(user).post(
        "/api/me/thoughts/", json={"text": "confidential"}, headers=headers
    )
    traced_system.users(traced_system.admin).post(
        "/admin/users/",
        json={"username": user.username, "password": "confidential heron at noon"},
        headers=headers,
    )

    everything = repr(spans_of(collector, trace_id, count=10)).lower()
    assert "confidential" not in everything
    assert user.token[:40].lower() not in everything


def test_trace_begins_where_there_is_none(
    traced_stack: Stack, traced_system: System, collector: Collector
) -> None:
    """A request without `traceparent` gets a trace, whose id is in the log of both services."""
    request_id = secrets.token_hex(8)
    HttpClient(traced_system.frontend_url).get("/search", headers={"X-Request-ID": request_id})

    def lines() -> list[str]:
        services = [traced_stack.services[name] for name in ("frontend", "thoughts")]
        logs = [service.log_path.read_text().splitlines() for service in services]
        return [line for log in logs for line in log if request_id in line]

    wait_until(lambda: len(lines()) == 2, what="both services log the request")
    page, thoughts = lines()
    trace_id = json.loads(page)["trace_id"]
    assert json.loads(thoughts)["trace_id"] == trace_id
    assert not spans_of(collector, trace_id, count=4)[0].parent_id


def test_trace_that_is_not_sampled_is_passed_on(
    traced_stack: Stack, traced_system: System, collector: Collector
) -> None:
    """A client that does not want a trace gets none, and its trace id in the logs all the same."""
    trace_id, headers = traced(sampled=False)
    HttpClient(traced_system.frontend_url).get("/search", headers=headers)

    log_path = traced_stack.services["thoughts"].log_path
    wait_until(lambda: trace_id in log_path.read_text(), what="the backend logs the trace id")
    other_id, others = traced()
    HttpClient(traced_system.frontend_url).get("/search", headers=others)
    spans_of(collector, other_id, count=4)

    assert collector.trace(trace_id) == []


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_health_is_not_traced(traced_system: System, collector: Collector, path: str) -> None:
    """Health checks and the collection of metrics leave no span."""
    trace_id, headers = traced()
    for url in (traced_system.frontend_url, traced_system.thoughts_url):
        HttpClient(url).get(path, headers=headers)
    other_id, others = traced()
    HttpClient(traced_system.frontend_url).get("/search", headers=others)
    spans_of(collector, other_id, count=4)

    assert collector.trace(trace_id) == []


@pytest.fixture(params=["nobody listens", "somebody listens and says nothing"])
def collector_away(request: pytest.FixtureRequest, traced_stack: Stack) -> Iterator[Process]:
    """The Thoughts Backend, whose collector is away."""
    backend = traced_stack.services["thoughts"]
    endpoint = backend.environment["OTEL_EXPORTER_OTLP_ENDPOINT"]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        if request.param == "nobody listens":
            silent.close()
        backend.environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"http://127.0.0.1:{port}"
        traced_stack.restart("thoughts")
        yield backend
    backend.environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint
    traced_stack.restart("thoughts")


def test_collector_that_is_away_changes_no_answer(
    collector_away: Process, traced_system: System
) -> None:
    """Without the collector everything is answered, and the service stops in time and well."""
    _, headers = traced()

    answers = [traced_system.thoughts().get("/api/thoughts/", headers=headers) for _ in range(20)]

    assert {answer.status for answer in answers} == {200}
    # A batch has 10 seconds by default, and the SDK waits for 30.
    assert collector_away.stop(timeout_seconds=9) == 0


@pytest.mark.parametrize("package", ["thoughts_backend", "users_backend", "frontend"])
def test_service_without_traces_knows_nothing_of_them(package: str) -> None:
    """What makes and sends spans is not even imported where it is not wanted."""
    program = f"import sys, {package}.__main__; print('opentelemetry' in sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )

    assert done.stdout == "False\n"
