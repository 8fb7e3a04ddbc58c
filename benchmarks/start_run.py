"""Measures `make up` as a newcomer sees it: on a fresh clone, and the second time.

The clone has the committed state. Packages come from the caches of uv and pip, if present.
"""

import os
import subprocess
import time
from dataclasses import dataclass

from benchmarks.report import table, verdict
from local.ports import free_port
from testkit.own_server import temporary_folder
from tooling.project import ROOT

FRESH_CLONE_BUDGET_SECONDS = 60
SECOND_TIME_BUDGET_SECONDS = 8


@dataclass(frozen=True, slots=True)
class StartResult:
    """Seconds until every service was ready."""

    fresh_clone_seconds: float
    second_time_seconds: float

    def __str__(self) -> str:
        rows = [
            ("fresh clone, packages cached", self.fresh_clone_seconds, FRESH_CLONE_BUDGET_SECONDS),
            ("second time", self.second_time_seconds, SECOND_TIME_BUDGET_SECONDS),
        ]
        cells = [[name, f"{took:.1f}", verdict(took, budget, " s")] for name, took, budget in rows]
        return table(["`make up`", "seconds", "budget"], cells)


def measure_start() -> StartResult:
    """Clone, start, stop and start again; raises `CalledProcessError` when a command fails."""
    ports = {name: str(free_port()) for name in ("THOUGHTS_PORT", "USERS_PORT", "FRONTEND_PORT")}
    with temporary_folder() as folder:
        clone = folder / "clone"
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)

        def seconds_of(*command: str) -> float:
            started = time.monotonic()
            subprocess.run(["make", *command], cwd=clone, env=os.environ | ports, check=True)
            return time.monotonic() - started

        try:
            first = seconds_of("up", "BACKGROUND=1")
            seconds_of("down")
            return StartResult(first, seconds_of("up", "BACKGROUND=1"))
        finally:
            seconds_of("down")
            seconds_of("reset", "YES=1")
