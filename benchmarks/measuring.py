"""The cost of one scenario: CPU of each process, time as seen by the client, memory."""

import asyncio
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import psutil

from benchmarks.client import send_load
from benchmarks.scenarios import Scenario


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its address and the process whose CPU counts."""

    url: str
    pid: int


@dataclass(frozen=True, slots=True)
class Round:
    """One run of one scenario; CPU is user and system time per request, in microseconds."""

    server_cpu_us: float
    other_services_cpu_us: float
    postgres_cpu_us: float
    requests_per_second: float
    p50_ms: float
    p99_ms: float
    refused_percent: float


@dataclass(frozen=True, slots=True)
class Figure:
    """The summary of a scenario's rounds: medians, and the range of the server's CPU.

    `floor` is the scenario to compare with, `requests` the number of requests in each round.
    """

    scenario: str
    floor: str
    connections: int
    requests: int
    budget_us: float | None
    median: Round
    server_cpu_us_min: float
    server_cpu_us_max: float


def run_round(
    scenario: Scenario, servers: Mapping[str, Server], postgres_pid: int, *, connections: int
) -> Round:
    """Send the scenario's requests once; raises `UnexpectedAnswer`."""
    server = servers[scenario.server]
    others = [other.pid for other in servers.values() if other is not server]
    before = [CpuClock([server.pid]), CpuClock(others), CpuClock([postgres_pid])]
    load = asyncio.run(
        send_load(
            server.url,
            scenario.make_request,
            status=scenario.status,
            count=scenario.requests,
            connections=connections,
        )
    )
    server_us, others_us, postgres_us = (
        clock.elapsed_seconds() * 1e6 / scenario.requests for clock in before
    )
    return Round(
        server_cpu_us=server_us,
        other_services_cpu_us=others_us,
        postgres_cpu_us=postgres_us,
        requests_per_second=scenario.requests / load.seconds,
        p50_ms=load.percentile_seconds(50) * 1000,
        p99_ms=load.percentile_seconds(99) * 1000,
        refused_percent=100 * load.refused / scenario.requests,
    )


def combine(scenario: Scenario, connections: int, rounds: Iterable[Round]) -> Figure:
    """Return the medians of the rounds."""
    rounds = list(rounds)
    medians = {
        name: statistics.median(getattr(one, name) for one in rounds)
        for name in Round.__dataclass_fields__
    }
    cpu = [one.server_cpu_us for one in rounds]
    return Figure(
        scenario=scenario.name,
        floor=scenario.floor,
        connections=connections,
        requests=scenario.requests,
        budget_us=scenario.budget_us,
        median=Round(**medians),
        server_cpu_us_min=min(cpu),
        server_cpu_us_max=max(cpu),
    )


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of a process in MiB: resident, and (on Linux) proportional."""

    resident_mib: float
    proportional_mib: float


def memory_of(pid: int) -> Memory:
    """Return the process's current memory. Except on Linux both figures are the resident size."""
    full = psutil.Process(pid).memory_full_info()
    return Memory(full.rss / 2**20, getattr(full, "pss", full.rss) / 2**20)


class CpuClock:
    """Measures the CPU time of processes and of their running children, from now on.

    The time of a child that ends is lost; the services have no children, and PostgreSQL's serve
    a pool that stays open.
    """

    def __init__(self, pids: Iterable[int]) -> None:
        self._pids = list(pids)
        self._start = self._read()

    def elapsed_seconds(self) -> float:
        """Return the CPU time since this clock was created."""
        now = self._read()
        return sum(seconds - self._start.get(pid, 0) for pid, seconds in now.items())

    def _read(self) -> dict[int, float]:
        seconds: dict[int, float] = {}
        for pid in self._pids:
            parent = psutil.Process(pid)
            for process in (parent, *parent.children(recursive=True)):
                try:
                    times = process.cpu_times()
                except psutil.NoSuchProcess:
                    continue
                seconds[process.pid] = times.user + times.system
        return seconds
