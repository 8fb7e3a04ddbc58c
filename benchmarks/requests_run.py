"""Measures the cost of requests, on its own system filled with generated thoughts."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

from benchmarks import floors
from benchmarks.client import fetch, request_bytes, send
from benchmarks.loading import load_thoughts
from benchmarks.machine import this_machine
from benchmarks.measuring import CpuClock, Latencies, memory_of
from benchmarks.requests_result import Figure, RequestsResult, Round
from benchmarks.scenarios import API_FLOOR, PAGE_FLOOR, Scenario, all_scenarios
from benchmarks.visitor import Visitor, log_in
from local.ports import free_port
from local.process import Process
from local.stack import SHARING_UNLIMITED, Stack, temporary_stack
from tooling.console import say, step
from tooling.project import ROOT
from tooling.readiness import is_ready, wait_until

START_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its address and the process whose CPU counts."""

    url: str
    pid: int


def measure_requests(*, thoughts: int, rounds: int) -> RequestsResult:
    """Measure every scenario `rounds` times, in turn, so that a busy minute affects all alike."""
    say("Starting the system.")
    with temporary_stack(SHARING_UNLIMITED) as stack:
        at_rest = {name: memory_of([process.pid]) for name, process in stack.services.items()}
        database_url = stack.owner_urls["thoughts"]
        with step(f"Loading {thoughts:,} thoughts"):
            asyncio.run(load_thoughts(database_url, thoughts))
        visitor = asyncio.run(log_in(stack.urls["users"], stack.urls["frontend"]))
        with _all_servers(stack, visitor) as servers:
            figures = _measure(all_scenarios(visitor), servers, stack.postgres.process.pid, rounds)
        return RequestsResult(this_machine(), thoughts, figures, memory_at_rest=at_rest)


def _measure(
    scenarios: Sequence[Scenario], servers: Mapping[str, Server], postgres_pid: int, rounds: int
) -> list[Figure]:
    found: dict[tuple[Scenario, int], list[Round]] = defaultdict(list)
    for number in range(1, rounds + 1):
        for scenario in scenarios:
            with step(f"Round {number} of {rounds}: {scenario.name}"):
                for connections in (1, scenario.connections):
                    one = _run(scenario, servers, postgres_pid, connections)
                    found[scenario, connections].append(one)
    return [
        Figure(scenario.name, scenario.floor, connections, each)
        for (scenario, connections), each in found.items()
    ]


def _run(
    scenario: Scenario, servers: Mapping[str, Server], postgres_pid: int, connections: int
) -> Round:
    server, count = servers[scenario.server], scenario.requests
    others = [other.pid for other in servers.values() if other is not server]
    clocks = [CpuClock(server.pid), CpuClock(*others), CpuClock(postgres_pid)]
    started = time.perf_counter()
    answered = asyncio.run(send(server.url, islice(scenario.asks, count), clients=connections))
    seconds = time.perf_counter() - started
    server_us, others_us, postgres_us = (clock.elapsed_us() / count for clock in clocks)
    latencies = Latencies.of(answered)
    return Round(
        server_cpu_us=server_us,
        other_services_cpu_us=others_us,
        postgres_cpu_us=postgres_us,
        requests_per_second=count / seconds,
        p50_ms=latencies.p50_ms,
        p99_ms=latencies.p99_ms,
        refused_percent=100 * sum(one.refused for one in answered) / count,
    )


@contextmanager
def _all_servers(stack: Stack, visitor: Visitor) -> Iterator[dict[str, Server]]:
    """Start the floors, and give them and the services."""
    servers = {
        name: Server(stack.urls[name], process.pid) for name, process in stack.services.items()
    }
    a_list = request_bytes("GET", "/api/thoughts/")
    a_page = request_bytes("GET", "/thoughts/", visitor.browser)
    with (
        _floor(stack, stack.urls["thoughts"], a_list, page=False) as api,
        _floor(stack, stack.urls["frontend"], a_page, page=True) as page,
    ):
        yield {**servers, API_FLOOR: api, PAGE_FLOOR: page}


@contextmanager
def _floor(stack: Stack, url: str, request: bytes, *, page: bool) -> Iterator[Server]:
    """Run a floor that answers as `url` answers `request`."""
    name, port = "page-floor" if page else "api-floor", free_port()
    content = stack.folder.path / name
    content.write_bytes(asyncio.run(fetch(url, request)).body)
    process = Process(
        name,
        floors.command(port, page=page),
        environment={"PYTHONPATH": str(ROOT), "FLOOR_CONTENT": str(content)},
        log_path=stack.folder.logs / f"{name}.log",
    )
    floor_url = f"http://127.0.0.1:{port}"
    process.start()
    try:
        if not wait_until(lambda: is_ready(f"{floor_url}/"), seconds=START_SECONDS):
            raise process.failure("did not start")
        yield Server(floor_url, process.pid)
    finally:
        process.stop()
