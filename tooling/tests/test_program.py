"""Programs stop on Ctrl-C and SIGTERM, whatever they have inherited."""

import re
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from testkit.deaf import DEAF
from tooling.project import ROOT

SECONDS = 60
# Third-party programs, or programs that handle signals in other ways (`conftest.py`, and
# the services').
FOREIGN = {"pytest", "ruff", "mypy", "$$service"} | {"system"}  # The last is a mark of tests.

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start_deaf() -> Iterator[Start]:
    """A function that starts Python with these arguments, deaf, and waits for a first line."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str | Path) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*DEAF, sys.executable, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout is not None
        while process.stdout.readline() not in ("waiting\n", ""):
            pass
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def program(body: str) -> str:
    """A program whose main function is `body`."""
    imports = "import asyncio, signal, time\nfrom tooling.program import run_program\n"
    return f"{imports}def main():\n{textwrap.indent(body, '    ')}\nrun_program(main)\n"


SLEEP = program("print('waiting', flush=True)\ntime.sleep(60)")
AWAIT = program(
    "async def wait():\n"
    "    try:\n"
    "        print('waiting', flush=True)\n"
    "        await asyncio.sleep(60)\n"
    "    finally:\n"
    "        print('tidied up', flush=True)\n"
    "asyncio.run(wait())"
)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_program_stops(start_deaf: Start, number: signal.Signals) -> None:
    """A waiting program ends with the status of an interrupted one."""
    process = start_deaf("-c", SLEEP)

    process.send_signal(number)

    assert process.wait(SECONDS) == 130


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_program_under_asyncio_tidies_up(start_deaf: Start, number: signal.Signals) -> None:
    """Tasks are cancelled and run their cleanup."""
    process = start_deaf("-c", AWAIT)

    process.send_signal(number)
    output, _ = process.communicate(timeout=SECONDS)

    assert (process.returncode, output) == (130, "tidied up\n")


def test_nohup_is_respected(start_deaf: Start) -> None:
    """A program started with `nohup` outlives its terminal."""
    body = "print('waiting', flush=True)\ntime.sleep(1)\nreturn 7"
    process = start_deaf("-c", program(body))

    process.send_signal(signal.SIGHUP)

    assert process.wait(SECONDS) == 7


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_tests_end_in_order(
    start_deaf: Start, tmp_path: Path, number: signal.Signals
) -> None:
    """Interrupted tests clean up after themselves."""
    (tmp_path / "test_slow.py").write_text(
        "import time, pytest\n"
        "@pytest.fixture\n"
        "def thing():\n"
        "    yield\n"
        "    print('torn down', flush=True)\n"
        "def test_slow(thing):\n"
        "    print('\\nwaiting', flush=True)\n"
        "    time.sleep(60)\n"
    )
    run = start_deaf("-m", "pytest", "-s", "-p", "conftest", f"--rootdir={tmp_path}", tmp_path)

    run.send_signal(number)
    output, _ = run.communicate(timeout=SECONDS)

    assert run.returncode == 2
    assert "torn down" in output


def test_programs_of_the_makefile_can_be_stopped() -> None:
    """Each program started by a verb runs its main function with `run_program`."""
    modules = set(re.findall(r" -m ([\w.]+|\$\$\w+)", (ROOT / "Makefile").read_text())) - FOREIGN

    files = [path for module in modules for path in _files_of(module)]

    assert len(files) == len(modules)
    assert [path for path in files if "    run_program(" not in path.read_text()] == []


def _files_of(module: str) -> list[Path]:
    place = ROOT.joinpath(*module.split("."))
    candidates = (place.with_suffix(".py"), place / "__main__.py")
    return [path for path in candidates if path.exists()]
