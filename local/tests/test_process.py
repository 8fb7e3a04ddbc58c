"""A child process, and the leftovers of a killed run."""

import json
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


def test_leftovers_are_ended(sleeper: Process, tmp_path: Path) -> None:
    """A recorded process that is still running is ended."""
    leftovers.note(tmp_path / "processes.json", [sleeper])

    leftovers.end(tmp_path / "processes.json")

    assert not psutil.pid_exists(sleeper.pid)


def test_strangers_are_left_alone(tmp_path: Path) -> None:
    """A process that merely reuses a recorded process id is not touched."""
    with subprocess.Popen([sys.executable, "-c", SLEEP]) as stranger:
        noted = {
            "pid": stranger.pid,
            "started": psutil.Process().create_time() - 1000,
            "signal": 15,
        }
        (tmp_path / "processes.json").write_text(json.dumps([noted]))

        leftovers.end(tmp_path / "processes.json")

        assert stranger.poll() is None
        stranger.kill()


@pytest.mark.parametrize("content", ["", "{", "[]"])
def test_damaged_note_is_no_obstacle(sleeper: Process, tmp_path: Path, content: str) -> None:
    """A half-written record ends nothing, and the next run writes its own."""
    note = tmp_path / "processes.json"
    note.write_text(content)

    leftovers.end(note)
    leftovers.note(note, [sleeper])

    assert sleeper.is_running
    assert [entry["pid"] for entry in json.loads(note.read_text())] == [sleeper.pid]
