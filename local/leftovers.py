"""Processes left behind by a killed run; each carries the path of its log in its environment."""

from contextlib import suppress
from pathlib import Path

import psutil

from local.process import LOG_VARIABLE

STOP_SECONDS = 15


def end(logs: Path) -> None:
    """End the processes whose logs are in the folder, and wait for them."""
    left = [process for process in psutil.process_iter(["environ"]) if _logs_to(process, logs)]
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, stubborn = psutil.wait_procs(left, timeout=STOP_SECONDS)
    for process in stubborn:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=STOP_SECONDS)


def _logs_to(process: psutil.Process, logs: Path) -> bool:
    # None for the processes of other users.
    log = (process.info["environ"] or {}).get(LOG_VARIABLE)
    return log is not None and Path(log).parent == logs
