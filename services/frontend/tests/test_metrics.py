"""The metrics about backends and the Frontend's own threads."""

import socket
from collections.abc import Callable
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from frontend.backends.http_client import FAILURES_TO_OPEN
from frontend.settings import Settings
from testkit.browser import Browser
from testkit.fake_backend import FakeThoughtsBackend, Reply
from testkit.waiting import wait_until

Metric = Callable[..., float]


@pytest.fixture
def metric(browser: Browser) -> Metric:
    """A function that returns the value of a sample, 0 if it is not there."""

    def value(name: str, **labels: str) -> float:
        families = text_string_to_metric_families(browser.get("/metrics").text)
        samples = (sample for family in families for sample in family.samples)
        found = [s.value for s in samples if s.name == name and labels.items() <= s.labels.items()]
        return sum(found)

    return value


def failures(metric: Metric, kind: str) -> float:
    """The number of calls to the Thoughts Backend that failed this way."""
    return metric("frontend_backend_failures_total", backend="thoughts", kind=kind)


def test_calls_to_a_backend_are_timed(bruce: Browser, metric: Metric) -> None:
    """A page that calls a backend adds one call to that backend's histogram."""
    name = "frontend_backend_call_duration_seconds_count"
    before = metric(name, backend="thoughts")

    bruce.get("/")

    assert metric(name, backend="thoughts") == before + 1


def test_backend_without_an_answer_is_counted(
    bruce: Browser, thoughts: FakeThoughtsBackend, metric: Metric
) -> None:
    """An unreachable backend counts as no answer."""
    before = failures(metric, "no_answer")
    thoughts.stop()

    bruce.get("/")

    assert failures(metric, "no_answer") == before + 1


@pytest.mark.parametrize("reply", [Reply(500), Reply(404), Reply(200, "no list")])
def test_bad_answer_is_counted(
    bruce: Browser, thoughts: FakeThoughtsBackend, metric: Metric, reply: Reply
) -> None:
    """A response that is unusable, by status or content, counts as a bad answer."""
    before = failures(metric, "bad_answer")
    thoughts.fault = lambda handler, _: handler.reply(reply)

    bruce.get("/")

    assert failures(metric, "bad_answer") == before + 1


@pytest.mark.usefixtures("rare_probes")
def test_open_circuit_shows(bruce: Browser, thoughts: FakeThoughtsBackend, metric: Metric) -> None:
    """The gauge shows that the circuit is open, and calls are counted as not attempted."""
    before = failures(metric, "circuit_open")
    open_before = metric("frontend_backend_circuit_open", backend="thoughts")
    thoughts.stop()

    for _ in range(FAILURES_TO_OPEN + 1):
        bruce.get("/")

    assert open_before == 0
    assert metric("frontend_backend_circuit_open", backend="thoughts") == 1
    assert metric("frontend_backend_circuit_open", backend="users") == 0
    assert failures(metric, "circuit_open") == before + 1


def test_requests_that_wait_for_a_thread_are_counted(
    bruce: Browser, thoughts: FakeThoughtsBackend, settings: Settings
) -> None:
    """While every thread waits for a stalled backend, the gauge shows the waiting requests."""
    thoughts.stall()
    session = bruce.cookies["mythoughts_session"]
    request = f"GET / HTTP/1.1\r\nHost: a\r\nCookie: mythoughts_session={session}\r\n\r\n"
    address = urlsplit(bruce.base_url)

    with ExitStack() as connections:
        for _ in range(2 * settings.threads):
            connection = socket.create_connection((address.hostname, address.port))
            connections.enter_context(connection).sendall(request.encode())

        # `/metrics` itself would have to wait for a thread.
        wait_until(lambda: (REGISTRY.get_sample_value("frontend_requests_waiting") or 0) > 0)
        thoughts.released.set()


def test_nobody_waits_while_threads_are_free(metric: Metric) -> None:
    """With a thread for each request, the gauge is 0."""
    assert metric("frontend_requests_waiting") == 0
