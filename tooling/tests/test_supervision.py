"""What a supervisor says about its processes, and that they end with it."""

import io
import tarfile
import time
from pathlib import Path

import psutil
import pytest

from local.stack import STOP_SECONDS
from testkit.supervised import Supervised, supervisor_of
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

# A service that says that it is ready and when it is asked to stop, and stops when the file
# RELEASED exists.
PATIENT = """
import os, pathlib, signal, socket, time
signal.signal(signal.SIGTERM, lambda *_: print(os.getpid(), "is to stop", flush=True))
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
print(os.getpid(), "serves", flush=True)
while not pathlib.Path(os.environ["RELEASED"]).exists():
    time.sleep(0.01)
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


def test_replaced_process_is_told_once_and_keeps_its_code(tmp_path: Path) -> None:
    """However soon others follow: asked again, a service closes connections before it answers."""
    released = tmp_path / "released"
    with supervisor_of(["-c", PATIENT], {"RELEASED": str(released)}) as service:
        assert service.ask("receive", "one", tree=tree()) == ""
        service.process.start()
        wait_until(lambda: any("serves" in line for line in service.output))
        for name in ("two", "three"):
            assert service.ask("receive", name, tree=tree()) == READY
        wait_until(lambda: len({*told(service)}) == 2)
        first, second = told(service)
        running = [psutil.pid_exists(first), psutil.pid_exists(second)]
        folders = {path.name for path in service.folder.iterdir() if path.is_dir()}

        released.touch()
        assert service.ask("receive", "four", tree=tree()) == READY
        ended = not psutil.pid_exists(first)
        service.process.stop(timeout_seconds=STOP_SECONDS)

    assert first != second
    assert running == [True, True]
    assert {"one", "two", "three"} <= folders
    assert ended
    assert told(service).count(first) == 1


def tree() -> bytes:
    """A tree without code."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        tar.add(Path(__file__).parent, "service", recursive=False)
    return archive.getvalue()


def told(service: Supervised) -> list[int]:
    """The processes that were asked to stop, once for each time."""
    return [int(line.split()[0]) for line in service.output if line.endswith("is to stop")]


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
