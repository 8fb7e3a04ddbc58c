"""The cost of requests: what is saved in `results/requests.json`, and its table."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.machine import Machine
from benchmarks.measuring import Memory
from benchmarks.report import table, verdict

MEMORY_BUDGET_MIB = 300
# Of the server's CPU, by scenario: over one connection, and over several.
BUDGETS_US = {
    "GET list of 20": (350, 250),
    "page of 20 own thoughts": (1250, 1250),
    "page of 20 search results": (1500, 1500),
}


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
    """The rounds of a scenario over a number of connections."""

    scenario: str
    floor: str
    connections: int
    rounds: list[Round]

    def median(self, measure: str) -> float:
        """Return the median of a field of `Round`."""
        return statistics.median(float(getattr(one, measure)) for one in self.rounds)


@dataclass(frozen=True, slots=True)
class RequestsResult:
    """The figures, and the memory of the services before the first request."""

    machine: Machine
    thoughts: int
    figures: list[Figure]
    memory_at_rest: dict[str, Memory]

    def __str__(self) -> str:
        figures = table(_HEADER, [_row(figure, self.figures) for figure in self.figures])
        rounds = len(self.figures[0].rounds)
        about = f"{self.machine}; {self.thoughts:,} thoughts; medians of {rounds} rounds."
        return f"{about}\n\n{figures}\n\n{_memory_text(self.memory_at_rest)}"


_HEADER = (
    *("request", "connections", "server CPU, us", "min-max", "x floor", "other services, us"),
    *("PostgreSQL, us", "requests/s", "p50, ms", "p99, ms", "503, %", "budget"),
)


def _row(figure: Figure, figures: Sequence[Figure]) -> list[str]:
    several = figure.connections > 1
    (floor,) = (
        other
        for other in figures
        if other.scenario == figure.floor and (other.connections > 1) == several
    )
    cpu_us = [one.server_cpu_us for one in figure.rounds]
    median = statistics.median(cpu_us)
    # For a few requests the CPU clock may show 0.
    times = median / (floor.median("server_cpu_us") or 1)
    budgets_us = BUDGETS_US.get(figure.scenario)
    return [
        figure.scenario,
        str(figure.connections),
        f"{median:.0f}",
        f"{min(cpu_us):.0f}-{max(cpu_us):.0f}",
        f"{times:.1f}",
        f"{figure.median('other_services_cpu_us'):.0f}",
        f"{figure.median('postgres_cpu_us'):.0f}",
        f"{figure.median('requests_per_second'):.0f}",
        f"{figure.median('p50_ms'):.1f}",
        f"{figure.median('p99_ms'):.1f}",
        f"{figure.median('refused_percent'):.1f}",
        verdict(median, budgets_us and budgets_us[several], " us"),
    ]


def _memory_text(memory_at_rest: Mapping[str, Memory]) -> str:
    each = [
        f"{name} {memory.resident_mib:.0f} ({memory.proportional_mib:.0f})"
        for name, memory in memory_at_rest.items()
    ]
    total = sum(memory.resident_mib for memory in memory_at_rest.values())
    met = verdict(total, MEMORY_BUDGET_MIB, " MiB")
    return (
        f"Memory at rest, RSS (PSS) in MiB: {', '.join(each)}; together {total:.0f}, budget {met}."
    )
