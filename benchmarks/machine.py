"""The machine on which figures were measured."""

import os
import platform
import sys
import sysconfig
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from local import postgres_binaries
from tooling.commands import run


@dataclass(frozen=True, slots=True)
class Machine:
    """What a reader needs to judge a figure; `optimized` describes the build of Python."""

    processor: str
    cores: int
    system: str
    python: str
    postgresql: str
    day: str
    optimized: bool

    def __str__(self) -> str:
        build = "optimized build" if self.optimized else "build without optimization"
        return (
            f"{self.day}: {self.processor}, {self.cores} cores, {self.system}, "
            f"Python {self.python} ({build}), PostgreSQL {self.postgresql}; "
            "services with one process each, JSON logs"
        )


def this_machine() -> Machine:
    """Describe this machine, today."""
    return Machine(
        processor=_processor(),
        cores=os.cpu_count() or 1,
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        # The last word of `postgres (PostgreSQL) 18.6`.
        postgresql=run(postgres_binaries.program("postgres"), "--version").split()[-1],
        day=datetime.now(UTC).date().isoformat(),
        optimized=is_optimized(),
    )


def is_optimized() -> bool:
    """Whether this Python, which also runs the services, is a build optimized by profiling.

    Linux distributions ship such builds, but Debian's `CONFIG_ARGS` do not say so.
    """
    options = str(sysconfig.get_config_var("CONFIG_ARGS"))
    return "--enable-optimizations" in options or sys.base_prefix == "/usr"


def _processor() -> str:
    """Return the processor's name, from a file on Linux and from `platform` elsewhere."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
