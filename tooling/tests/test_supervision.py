"""What a supervisor says about its processes, and that they end with it."""

import time
from pathlib import Path

import psutil
import pytest

from local.stack import STOP_SECONDS
from testkit.supervised import supervisor_of
from testkit.waiting import wait_until
from tooling.project import FRONTEND, ROOT
from tooling.supervision import READY, SupervisedService
from tooling.working_tree import Change

# A service that says that it is ready, unless the file BROKEN exists.
BREAKABLE = """
import os, pathlib, socket, sys, time
if pathlib.Path(os.environ["BROKEN"]).exists():
    sys.exit(3)
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
print("serving", flush=True)
time.sleep(600)
"""
DEBUGPY = "import sys\nexec(sys.argv[-1])\n"

# A service that says that it is ready, and does not stop when it is asked to.
STUBBORN = """
import os, signal, socket, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
print("serving", flush=True)
time.sleep(600)
"""


def test_process_that_does_not_stop_ends_before_its_supervisor() -> None:
    """`make dev` leaves no process behind, even if two do not stop when they are asked to."""
    with supervisor_of(["-c", STUBBORN], {}) as service:
        service.process.start()
        wait_until(lambda: "serving" in service.output)
        assert service.ask("restart") == READY
        processes = psutil.Process(service.process.pid).children()

        service.process.stop(timeout_seconds=STOP_SECONDS)

        left = psutil.wait_procs(processes, timeout=1)[1]
        for process in left:
            process.kill()
    assert len(processes) == 2
    assert left == []


@pytest.mark.parametrize(
    ("is_killed", "debugger", "state"),
    [
        (False, {}, "the old process still serves"),
        (True, {}, "there is no old process"),
        (False, {"DEBUGGER": "1"}, "there is no old process"),
    ],
    ids=["serving", "killed", "debugged"],
)
def test_failure_says_whether_the_old_process_serves(
    tmp_path: Path, is_killed: bool, debugger: dict[str, str], state: str
) -> None:
    """It may have crashed before, and under a debugger it stops before the new one starts."""
    broken = tmp_path / "broken"
    (tmp_path / "debugpy.py").write_text(DEBUGPY)
    settings = {"BROKEN": str(broken), "PYTHONPATH": str(tmp_path), **debugger}
    with supervisor_of(["-c", BREAKABLE], settings) as service:
        service.process.start()
        wait_until(lambda: "serving" in service.output)
        broken.touch()
        if is_killed:
            (serving,) = psutil.Process(service.process.pid).children()
            serving.kill()
            wait_until(lambda: any("the process ended" in line for line in service.output))

        answer = service.ask("restart")

    assert answer == f"the new process ended with exit status 3; {state}"


def test_list_of_packages_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A change of it says what installs packages, if there are others."""
    supervised = SupervisedService(FRONTEND, tmp_path / "supervisor")

    supervised.apply(Change(frozenset({ROOT / "services/frontend/pyproject.toml"}), time.time()))

    assert "run `make lock` and restart `make dev`" in capsys.readouterr().out
