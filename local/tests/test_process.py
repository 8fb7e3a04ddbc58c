"""A child process, and the leftovers of a killed run."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from local import leftovers
from local.process import LOG_BYTES, Process

SLEEP = "import time; time.sleep(60)"


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Process]:
    """A process that runs for a minute unless it is stopped."""
    process = Process(
        "sleeper", [sys.executable, "-c", SLEEP], environment={}, log_path=tmp_path / "log"
    )
    process.start()
    yield process
    process.kill()


def run_python(program: str, log_path: Path) -> Process:
    """A Python program that has ended."""
    process = Process("program", [sys.executable, "-c", program], environment={}, log_path=log_path)
    process.start()
    process.wait(timeout_seconds=30)
    return process


def test_output_is_kept(tmp_path: Path) -> None:
    """Both outputs go to the log, and their last lines are remembered."""
    program = "import sys; print('one'); sys.stdout.flush(); print('two 二', file=sys.stderr)"

    process = run_python(f"{program}; sys.exit(3)", tmp_path / "log")

    assert process.exit_status == 3
    assert list(process.last_lines) == ["one", "two 二"]
    assert (tmp_path / "log").read_text() == "one\ntwo 二\n"


def test_log_is_bounded(tmp_path: Path) -> None:
    """A log that grows too long is rotated; one older file is kept."""
    lines = 3 * LOG_BYTES // 1000

    run_python(f"for number in range({lines}): print('x' * 1000)", tmp_path / "log")

    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert sizes.keys() == {"log", "log.1"}
    assert max(sizes.values()) <= LOG_BYTES


def test_stubborn_process_is_killed(tmp_path: Path) -> None:
    """A process that ignores the request to stop is killed after the timeout."""
    program = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1); time.sleep(60)"
    heard: list[str] = []
    process = Process(
        "stubborn",
        [sys.executable, "-u", "-c", program],
        environment={},
        log_path=tmp_path / "log",
        on_line=lambda _, line: heard.append(line),
    )
    process.start()
    while not heard:
        assert process.is_running

    status = process.stop(timeout_seconds=0.2)

    assert status == -signal.SIGKILL


def test_leftovers_are_ended(sleeper: Process) -> None:
    """A process of an earlier run that is still running is ended."""
    leftovers.end(sleeper.log_path.parent)

    assert not psutil.pid_exists(sleeper.pid)


def test_processes_of_others_are_left_alone(sleeper: Process, tmp_path: Path) -> None:
    """Processes of a run in another folder are not touched, nor are those of other programs."""
    with subprocess.Popen([sys.executable, "-c", SLEEP]) as stranger:
        leftovers.end(tmp_path / "another")

        assert sleeper.is_running
        assert stranger.poll() is None
        stranger.kill()
