"""CPU time, latencies and memory."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import psutil

from benchmarks.client import Observation


@dataclass(frozen=True, slots=True)
class Latencies:
    """Percentiles of request times, by nearest rank; all are 0 if no request was sent."""

    requests: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    worst_ms: float

    @classmethod
    def of(cls, observations: Sequence[Observation]) -> "Latencies":
        """Summarize the times of some requests."""
        ordered = sorted(one.seconds for one in observations) or [0.0]

        def rank(percent: int) -> float:
            return round(1000 * ordered[min(len(ordered) - 1, len(ordered) * percent // 100)], 3)

        return cls(len(observations), rank(50), rank(95), rank(99), rank(100))


class CpuClock:
    """Measures the CPU time of processes and of their running children, from now on.

    The time of a child that ends is lost; the services have no children, and PostgreSQL's serve
    a pool that stays open.
    """

    def __init__(self, *pids: int) -> None:
        self._pids = pids
        self._start = self._read()

    def elapsed_us(self) -> float:
        """Return the CPU time, user and system, since this clock was created."""
        now = self._read()
        return 1e6 * sum(seconds - self._start.get(pid, 0) for pid, seconds in now.items())

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


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of processes in MiB: resident, and (on Linux) proportional."""

    resident_mib: float
    proportional_mib: float


def memory_of(pids: Iterable[int]) -> Memory:
    """Return the current memory of processes. Except on Linux both figures are the same."""
    full = [psutil.Process(pid).memory_full_info() for pid in pids]
    resident = sum(one.rss for one in full)
    return Memory(resident / 2**20, sum(getattr(one, "pss", one.rss) for one in full) / 2**20)
