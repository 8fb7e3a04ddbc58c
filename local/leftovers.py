"""Processes left behind by a killed run, identified by process id and start time."""

import json
from collections.abc import Iterable
from pathlib import Path

import psutil

from local.process import Process

STOP_SECONDS = 15


def note(path: Path, processes: Iterable[Process]) -> None:
    """Record the running processes in the file."""
    running = [process for process in processes if process.is_running]
    lines = [
        {"pid": process.pid, "started": started, "signal": process.stop_signal.value}
        for process in running
        if (started := _start_time(process.pid)) is not None
    ]
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_text(json.dumps(lines))
    unfinished.replace(path)


def end(path: Path) -> None:
    """End the processes recorded in the file that are still running, and wait for them."""
    try:
        noted = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return
    left = [
        (psutil.Process(entry["pid"]), entry["signal"])
        for entry in noted
        if _start_time(entry["pid"]) == entry["started"]
    ]
    for process, number in left:
        process.send_signal(number)
    _, stubborn = psutil.wait_procs([process for process, _ in left], timeout=STOP_SECONDS)
    for process in stubborn:
        process.kill()
    psutil.wait_procs(stubborn, timeout=STOP_SECONDS)
    path.unlink()


def _start_time(pid: int) -> float | None:
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return None
