"""Measures `make up` as a newcomer sees it: on a fresh clone, and the second time.

The clone has the committed state. Packages come from the caches of uv and pip, if present.
"""

import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from local.ports import free_port

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class StartResult:
    """Seconds until every service was ready."""

    fresh_clone_seconds: float
    second_time_seconds: float


def measure_start() -> StartResult:
    """Clone, start, stop and start again; raises `CalledProcessError` when a command fails."""
    with tempfile.TemporaryDirectory(prefix="mythoughts-bench-") as folder:
        # If root runs this, PostgreSQL's own account must be able to enter the folder.
        Path(folder).chmod(0o711)
        clone = Path(folder, "clone")
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
        environment = _environment()
        try:
            first = _seconds_of(["make", "up", "BACKGROUND=1"], clone, environment)
            _seconds_of(["make", "down"], clone, environment)
            second = _seconds_of(["make", "up", "BACKGROUND=1"], clone, environment)
        finally:
            subprocess.run(["make", "down"], cwd=clone, env=environment, check=False)
            subprocess.run(["make", "reset", "YES=1"], cwd=clone, env=environment, check=False)
    return StartResult(first, second)


def _environment() -> dict[str, str]:
    """Return the environment with free ports."""
    ports = {name: str(free_port()) for name in ("THOUGHTS_PORT", "USERS_PORT", "FRONTEND_PORT")}
    return os.environ | ports


def _seconds_of(command: list[str], folder: Path, environment: dict[str, str]) -> float:
    started = time.monotonic()
    subprocess.run(command, cwd=folder, env=environment, check=True)
    return time.monotonic() - started
