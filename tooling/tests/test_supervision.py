"""What a supervisor says about its processes, and that they end with it."""

import io
import os
import random
import signal
import subprocess
import sys
import tarfile
import time
import zlib
from pathlib import Path

import psutil
import pytest

from local.stack import STOP_SECONDS
from testkit.supervised import Supervised, supervisor_of
from testkit.waiting import wait_until
from tooling.failures import Failure
from tooling.project import FRONTEND, ROOT, THOUGHTS, Service
from tooling.supervision import READY, SUPERVISOR, SupervisedService
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


def killed(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Kill those of the processes that have not ended, and return them."""
    left = psutil.wait_procs(processes, timeout=1)[1]
    for process in left:
        process.kill()
    return left


def test_process_that_does_not_stop_ends_before_its_supervisor() -> None:
    """`make dev` leaves no process behind, even if two do not stop when they are asked to."""
    with supervisor_of(["-c", STUBBORN], {}) as service:
        service.process.start()
        wait_until(lambda: "serving" in service.output)
        assert service.ask("restart") == READY
        processes = psutil.Process(service.process.pid).children()

        service.process.stop(timeout_seconds=STOP_SECONDS)
        left = killed(processes)
    assert len(processes) == 2
    assert left == []


def test_second_signal_leaves_no_process_behind(tmp_path: Path) -> None:
    """A supervisor that is told to stop twice still ends a process that does not stop."""
    with supervisor_of(["-c", PATIENT], {"RELEASED": str(tmp_path / "never")}) as service:
        service.process.start()
        wait_until(lambda: any("serves" in line for line in service.output))
        processes = psutil.Process(service.process.pid).children()

        service.process.signal(signal.SIGTERM)
        wait_until(lambda: told(service))
        service.process.signal(signal.SIGTERM)
        service.process.wait(timeout_seconds=STOP_SECONDS)
        left = killed(processes)
    assert len(processes) == 1
    assert left == []


# The supervisor, which is told to stop as soon as it has started a process.
STOPPED_AT_ONCE = f"""
import os, signal, subprocess, sys
sys.path.insert(0, {str(SUPERVISOR.parent)!r})
import supervisor
class Popen(subprocess.Popen):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        os.kill(os.getpid(), signal.SIGTERM)
subprocess.Popen = Popen
supervisor.main()
"""


def test_process_that_has_just_been_started_ends_with_its_supervisor() -> None:
    """Even if the supervisor is told to stop before it has noted that it runs the process."""
    with supervisor_of(["-c", "import time; time.sleep(600)"], {}) as service:
        service.process.command[1:2] = ["-c", STOPPED_AT_ONCE]
        service.process.start()
        status = service.process.wait(timeout_seconds=60)

        notices = str(service.folder / "notices")
        left = [
            process
            for process in psutil.process_iter(["environ"])
            if (process.info["environ"] or {}).get("NOTIFY_SOCKET") == notices
        ]
        for process in left:
            process.kill()
    assert status == 128 + signal.SIGTERM
    assert left == []


def test_replaced_process_is_told_once_and_keeps_its_code(tmp_path: Path) -> None:
    """Even if others follow at once: asked twice, a service drops connections unanswered."""
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


# The supervisor, which gives replaced processes no time.
IMPATIENT = f"""
import sys
sys.path.insert(0, {str(SUPERVISOR.parent)!r})
import supervisor
supervisor.REPLACED_SECONDS = 0
supervisor.main()
"""


def test_replaced_process_that_hangs_is_killed() -> None:
    """Code with an endless loop does not keep a core busy once newer code has replaced it."""
    with supervisor_of(["-c", STUBBORN], {}) as service:
        service.process.command[1:2] = ["-c", IMPATIENT]
        service.process.start()
        wait_until(lambda: "serving" in service.output)
        (old,) = psutil.Process(service.process.pid).children()

        assert service.ask("restart") == READY

        wait_until(lambda: not old.is_running())


def test_fault_of_the_supervisor_is_answered() -> None:
    """If it cannot start a process, it says why."""
    with supervisor_of(["-c", BREAKABLE], {"BROKEN": "/nowhere"}) as service:
        service.process.start()
        wait_until(lambda: "serving" in service.output)
        (service.folder / "unpacking").unlink()
        (service.folder / "unpacking").mkdir()

        answer = service.ask("restart")

    assert answer.startswith("no process can be started: [Errno ")


def test_incomplete_tree_is_not_taken_for_a_complete_one() -> None:
    """If the connection breaks, even between two files, the tree has to be sent again."""
    first, whole = parts_of_tree()
    with supervisor_of(["-c", BREAKABLE], {"BROKEN": "/nowhere"}) as service:
        with pytest.raises(subprocess.CalledProcessError):
            service.ask("receive", "one", tree=first)
        cut_off = list((service.folder / "one").glob("*"))
        service.ask("receive", "one", tree=whole)
        names = {path.name for path in (service.folder / "one").iterdir()}

    assert cut_off == []
    assert names == {"first", "second"}


def test_tree_that_arrives_is_not_deleted() -> None:
    """A replacement meanwhile deletes old trees only."""
    first, whole = parts_of_tree()
    with supervisor_of(["-c", BREAKABLE], {"BROKEN": "/nowhere"}) as service:
        service.process.start()
        wait_until(lambda: "serving" in service.output)
        command = [sys.executable, str(SUPERVISOR), "receive", str(service.folder), "one"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as receiver:
            assert receiver.stdin
            receiver.stdin.write(first)
            receiver.stdin.flush()
            wait_until((service.folder / "one.unfinished" / "first").exists)
            assert service.ask("restart") == READY
            answer, _ = receiver.communicate(whole[len(first) :])
        names = {path.name for path in (service.folder / "one").iterdir()}

    assert answer.decode().strip() == READY
    assert names == {"first", "second"}


def parts_of_tree() -> tuple[bytes, bytes]:
    """A tree of two files: its bytes up to the end of the first, and all."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo("first")
        entry.size = 100_000  # More than is read at once.
        tar.addfile(entry, io.BytesIO(random.Random(1).randbytes(entry.size)))
        end = archive.tell()
        tar.addfile(tarfile.TarInfo("second"))
    tree, compressor = archive.getvalue(), zlib.compressobj(wbits=31)
    first = compressor.compress(tree[:end]) + compressor.flush(zlib.Z_FULL_FLUSH)
    return first, first + compressor.compress(tree[end:]) + compressor.flush()


def test_second_save_within_a_second_is_what_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its time in seconds and its size are the same, by which Python recognises a change."""
    monkeypatch.setattr("tooling.project.ROOT", tmp_path)
    module = FRONTEND.folder / "src" / "module.py"
    module.parent.mkdir(parents=True)
    module.write_text("print(1)")
    supervised = SupervisedService(FRONTEND, tmp_path / "supervisor")
    command = [sys.executable, "-c", "import module"]
    first = subprocess.check_output(command, cwd=module.parent, env={})
    saved = module.stat()

    module.write_text("print(2)")
    os.utime(module, ns=(saved.st_atime_ns, saved.st_mtime_ns))
    supervised.apply(Change(frozenset({module}), time.time()))

    assert first == b"1\n"
    assert subprocess.check_output(command, cwd=module.parent, env={}) == b"2\n"


def test_failed_migration_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the next change, whatever that is: its code may need the new schema."""
    monkeypatch.setattr("tooling.project.ROOT", tmp_path)
    package = THOUGHTS.folder / "src" / THOUGHTS.package
    (package / "migrations").mkdir(parents=True)
    supervised = SupervisedService(THOUGHTS, tmp_path / "supervisor")
    tried: list[Service] = []

    def migrate(service: Service) -> None:
        tried.append(service)
        if len(tried) == 1:
            raise Failure("the table is locked")

    for name in ("migrations/0002.py", "one.py", "two.py"):
        (package / name).touch()
        supervised.apply(Change(frozenset({package / name}), time.time()), migrate)

    assert tried == [THOUGHTS, THOUGHTS]


def test_list_of_packages_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its change shows how to install packages, in case there are others."""
    supervised = SupervisedService(FRONTEND, tmp_path / "supervisor")

    supervised.apply(Change(frozenset({ROOT / "services/frontend/pyproject.toml"}), time.time()))

    assert "run `make lock` and restart `make dev`" in capsys.readouterr().out
