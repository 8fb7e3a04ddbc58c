"""Request ids, log lines and metrics."""

import re

import pytest

from testkit.http_client import HttpClient
from testkit.service_process import ServiceProcess

PATH = "/api/thoughts/"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
SERIES = "http_request_duration_seconds_count"


@pytest.mark.parametrize("request_id", ["a", "trace.me_7-x", "A" * 128])
def test_well_formed_request_id_is_kept(http: HttpClient, request_id: str) -> None:
    """A client's X-Request-ID is returned."""
    answer = http.get(PATH, headers={"X-Request-ID": request_id})

    assert answer.headers["X-Request-ID"] == request_id


@pytest.mark.parametrize("request_id", ["", "a b", "a/b", "é", "A" * 129, '"', "a,b"])
def test_malformed_request_id_is_replaced(http: HttpClient, request_id: str) -> None:
    """A malformed X-Request-ID is replaced with a new one."""
    answer = http.get(PATH, headers={"X-Request-ID": request_id})

    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])


def test_each_request_has_an_id_of_its_own(http: HttpClient) -> None:
    """Requests without an id get different ones."""
    ids = {http.get(PATH).headers["X-Request-ID"] for _ in range(3)}

    assert len(ids) == 3


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/api/thoughts/0", "/schema/swagger"])
def test_every_answer_has_a_request_id(http: HttpClient, path: str) -> None:
    """Health checks, errors and pages carry X-Request-ID too."""
    assert http.get(path).headers["X-Request-ID"]


def test_request_has_one_log_line(backend: ServiceProcess, http: HttpClient) -> None:
    """A request is logged once, with its route, path, status and duration."""
    http.get("/api/thoughts/4711/", headers={"X-Request-ID": "one-line"})

    line = backend.wait_for_line("request", request_id="one-line")

    assert len(backend.lines("request", request_id="one-line")) == 1
    assert line.pop("duration_ms") > 0
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "service": "thoughts-backend",
        "event": "request",
        "request_id": "one-line",
        "method": "GET",
        "route": "/api/thoughts/{thought_id}",
        "path": "/api/thoughts/4711/",
        "status": 404,
    }


def test_trace_id_is_logged(backend: ServiceProcess, http: HttpClient) -> None:
    """The trace id of a well-formed traceparent is in the log line."""
    http.get(PATH, headers={"X-Request-ID": "traced", "traceparent": TRACE})

    line = backend.wait_for_line("request", request_id="traced")

    assert line["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    "trace",
    ["nonsense", TRACE.upper(), TRACE.replace("4bf9", "4bf"), "00-" + "0" * 32 + TRACE[35:]],
)
def test_malformed_trace_is_not_logged(
    backend: ServiceProcess, http: HttpClient, trace: str
) -> None:
    """A malformed traceparent is left out."""
    request_id = f"untraced-{abs(hash(trace))}"
    http.get(PATH, headers={"X-Request-ID": request_id, "traceparent": trace})

    assert "trace_id" not in backend.wait_for_line("request", request_id=request_id)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_method_is_logged_as_it_came(
    backend: ServiceProcess, http: HttpClient, method: str
) -> None:
    """HEAD is logged as HEAD, although the GET handler answers it."""
    http.request(method, PATH, headers={"X-Request-ID": f"method-{method}"})

    line = backend.wait_for_line("request", request_id=f"method-{method}")

    assert (line["method"], line["route"]) == (method, "/api/thoughts")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/healthz/", "/readyz/"])
def test_health_is_not_logged(
    backend: ServiceProcess, http: HttpClient, method: str, path: str
) -> None:
    """Health checks and metrics are not logged, with a trailing slash neither."""
    request_id = f"unobserved-{method}{path.replace('/', '-')}"
    http.request(method, path, headers={"X-Request-ID": request_id})
    http.get(PATH, headers={"X-Request-ID": f"{request_id}-after"})

    backend.wait_for_line("request", request_id=f"{request_id}-after")

    assert backend.lines("request", request_id=request_id) == []


def test_log_holds_no_token_and_no_text(
    backend: ServiceProcess, http: HttpClient, bruce: str
) -> None:
    """Neither bodies nor tokens nor searches reach the log, even if they are rejected."""
    http.post("/api/me/thoughts/", token=bruce, json={"text": "confidential"})
    http.post("/api/me/thoughts/", token=bruce, json={"text": "confidential" * 50})
    http.post("/api/me/thoughts/", token=bruce, body=b'{"text": "confidential')
    http.get(PATH, query={"search": "confidential"})
    http.get("/api/me/thoughts/", token=bruce[:-5], headers={"X-Request-ID": "last"})

    backend.wait_for_line("request", request_id="last")

    log = "\n".join(backend.output)
    assert "confidential" not in log
    assert bruce[:40] not in log
    assert bruce.split(".")[1][:40] not in log


def test_every_line_of_output_is_json(backend: ServiceProcess, http: HttpClient) -> None:
    """Messages of the HTTP server itself are JSON lines too."""
    with http.connection() as connection:
        connection.sendall(b"GARBAGE\r\n\r\n")
        connection.recv(1024)

    line = backend.wait_for_line("Invalid HTTP request received.")

    assert line["level"] == "warning"
    assert len(backend.log) == len(backend.output)


def test_metrics_are_in_prometheus_format(http: HttpClient) -> None:
    """/metrics declares its version of the text format, and needs no token."""
    answer = http.get("/metrics")

    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert b"# TYPE http_request_duration_seconds histogram" in answer.body


def test_requests_are_counted_by_route(http: HttpClient) -> None:
    """Metrics are labelled with the route's template, not with the path."""
    http.get("/api/thoughts/4711/")

    metrics = http.get("/metrics").body.decode()

    assert f'{SERIES}{{method="GET",route="/api/thoughts/{{thought_id}}",status="404"}}' in metrics
    assert "thoughts/4711" not in metrics


def test_unknown_paths_make_no_labels(http: HttpClient) -> None:
    """All unknown paths share one label."""
    http.get("/made-up-path/")

    metrics = http.get("/metrics").body.decode()

    assert f'{SERIES}{{method="GET",route="unmatched",status="404"}}' in metrics
    assert "made-up-path" not in metrics


def test_unknown_methods_make_no_labels(http: HttpClient) -> None:
    """Unusual methods share one label."""
    http.request("PROPFIND", PATH)

    metrics = http.get("/metrics").body.decode()

    assert f'{SERIES}{{method="other",route="/api/thoughts",status="405"}}' in metrics
    assert "PROPFIND" not in metrics


def test_health_is_not_counted(http: HttpClient) -> None:
    """Health checks do not affect the metrics of requests."""
    http.get("/healthz/")

    metrics = http.get("/metrics").body.decode()

    assert "healthz" not in metrics


def test_metrics_say_what_is_running(http: HttpClient) -> None:
    """The build info contains service and version."""
    metrics = http.get("/metrics").body.decode()

    assert re.search(
        r'mythoughts_build_info\{service="thoughts-backend",version="[0-9.]+"\} 1.0', metrics
    )
