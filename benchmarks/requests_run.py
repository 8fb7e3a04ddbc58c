"""Measures the cost of requests, on its own system filled with generated thoughts."""

import asyncio
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from benchmarks.client import fetch, request_bytes
from benchmarks.loading import load_thoughts
from benchmarks.machine import Machine, this_machine
from benchmarks.measuring import Figure, Memory, Round, Server, combine, memory_of, run_round
from benchmarks.scenarios import (
    API_FLOOR,
    PAGE_FLOOR,
    Scenario,
    api_scenarios,
    floor_scenarios,
    page_scenarios,
)
from benchmarks.visitor import Browser, log_in, open_browser
from local.ports import free_port
from local.process import Process
from local.stack import Stack, temporary_stack
from tooling.readiness import is_ready, wait_until

# A demonstration user with more than a page of thoughts; the password is the same as the name.
USER = "bruce"
SILENT = "thoughts without access log"
START_SECONDS = 20
ROOT = Path(__file__).resolve().parent.parent

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class RequestsResult:
    """The results of the run; memory by service, before the first request and after the last."""

    machine: Machine
    thoughts: int
    rounds: int
    figures: list[Figure]
    memory_at_rest: dict[str, Memory]
    memory_after: dict[str, Memory]


def measure_requests(*, thoughts: int, rounds: int, say: Say) -> RequestsResult:
    """Measure every scenario `rounds` times, in turn, so that a busy minute affects all alike."""
    say("Starting the system.")
    with temporary_stack() as stack:
        at_rest = _memory(stack)
        say(f"Loading {thoughts} thoughts.")
        asyncio.run(load_thoughts(stack.database_urls["thoughts"], thoughts))
        token = asyncio.run(log_in(stack.urls["users"], username=USER, password=USER))
        browser = asyncio.run(open_browser(stack.urls["frontend"], token))
        scenarios = _scenarios(token, browser)
        with running_servers(stack, browser) as servers:
            figures = _measure(scenarios, servers, stack.postgres.process.pid, rounds, say)
        return RequestsResult(
            machine=asyncio.run(this_machine(stack.database_urls["thoughts"])),
            thoughts=thoughts,
            rounds=rounds,
            figures=figures,
            memory_at_rest=at_rest,
            memory_after=_memory(stack),
        )


def _scenarios(token: str, browser: Browser) -> Sequence[Scenario]:
    api = api_scenarios(token, username=USER, password=USER, thought_id=1)
    without_log = replace(api[0], name=f"{api[0].name}, no access log", server=SILENT)
    return [*floor_scenarios(browser), api[0], without_log, *api[1:], *page_scenarios(browser)]


def _measure(
    scenarios: Sequence[Scenario],
    servers: dict[str, Server],
    postgres_pid: int,
    rounds: int,
    say: Say,
) -> list[Figure]:
    found: dict[tuple[Scenario, int], list[Round]] = defaultdict(list)
    for number in range(1, rounds + 1):
        for scenario in scenarios:
            say(f"Round {number} of {rounds}: {scenario.name}")
            for connections in (1, scenario.connections):
                found[scenario, connections].append(
                    run_round(scenario, servers, postgres_pid, connections=connections)
                )
    return [combine(scenario, connections, each) for (scenario, connections), each in found.items()]


@contextmanager
def running_servers(stack: Stack, browser: Browser) -> Iterator[dict[str, Server]]:
    """Run the additional servers to measure: the floors and a Thoughts Backend without logging."""
    servers = {
        name: Server(stack.urls[name], process.pid) for name, process in stack.services.items()
    }
    page = _get(stack.urls["frontend"], "/thoughts/", browser.headers)
    extra = {
        API_FLOOR: _floor(stack, "api", _get(stack.urls["thoughts"], "/api/thoughts/")),
        PAGE_FLOOR: _floor(stack, "page", page),
        SILENT: _silent_backend(stack),
    }
    try:
        for name, (process, url) in extra.items():
            process.start()
            ready = partial(is_ready, f"{url}/readyz")
            if not wait_until(ready, seconds=START_SECONDS):
                raise RuntimeError(f"{name} did not start: {list(process.last_lines)}")
            servers[name] = Server(url, process.pid)
        yield servers
    finally:
        for process, _ in extra.values():
            if process.is_running:
                process.stop()


def _get(url: str, path: str, headers: dict[str, str] | None = None) -> bytes:
    return asyncio.run(fetch(url, request_bytes("GET", path, headers))).body


def _floor(stack: Stack, kind: str, content: bytes) -> tuple[Process, str]:
    port = free_port()
    content_path = stack.folder.path / f"{kind}.floor"
    content_path.write_bytes(content)
    module = [sys.executable, "-m", "benchmarks.floors"]
    environment = stack.services["thoughts"].environment | {"PYTHONPATH": str(ROOT)}
    log_path = stack.folder.logs / f"{kind}-floor.log"
    process = Process(
        kind, [*module, kind, str(port), content_path], environment=environment, log_path=log_path
    )
    return process, f"http://127.0.0.1:{port}"


def _silent_backend(stack: Stack) -> tuple[Process, str]:
    backend, port = stack.services["thoughts"], free_port()
    environment = backend.environment | {"PORT": str(port), "LOG_LEVEL": "warning"}
    log_path = stack.folder.logs / "silent.log"
    process = Process(SILENT, backend.command, environment=environment, log_path=log_path)
    return process, f"http://127.0.0.1:{port}"


def _memory(stack: Stack) -> dict[str, Memory]:
    return {name: memory_of(process.pid) for name, process in stack.services.items()}
