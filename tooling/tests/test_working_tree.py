"""The code of the services: snapshots of it, and watching it."""

import io
import os
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from testkit.waiting import repeated
from tooling.project import FRONTEND, ROOT, SERVICES
from tooling.working_tree import Change, change_of, snapshot

# Prints the name of a file of the chassis that is written while the code is watched.
NOTICE = """
from tooling.project import ROOT
from tooling.working_tree import watch_code
changes = watch_code()
(ROOT / "chassis" / "src" / "module.py").touch()
print(next(filter(None, changes)).title)
"""

# Watches the code although no file can be opened any more, as if the system allowed no more.
WITHOUT_FILES = """
import os, platform, resource
from tooling.program import run_program
from tooling.working_tree import watch_code
platform.uname()  # What watchfiles asks for may need a file the first time.
free = os.dup(0)
os.close(free)
resource.setrlimit(resource.RLIMIT_NOFILE, (free, free))
run_program(watch_code)
"""

# Watches for four seconds and prints the share of one core that this took.
WATCH = """
import time
from tooling.working_tree import watch_code
changes = watch_code()
cpu, started = time.process_time(), time.monotonic()
while time.monotonic() < started + 4:
    next(changes)
print((time.process_time() - cpu) / (time.monotonic() - started))
"""


def test_snapshot_has_all_code_and_nothing_else() -> None:
    """It has each file of the service and of the chassis, without what Python compiles."""
    with tarfile.open(fileobj=io.BytesIO(snapshot(FRONTEND).archive)) as archive:
        names = archive.getnames()

    folders = {"chassis": ROOT / "chassis" / "src", "service": FRONTEND.folder / "src"}
    assert {*names} == {
        f"{top}/{path.relative_to(folder)}"
        for top, folder in folders.items()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_same_code_has_the_same_name() -> None:
    """The name depends on the files alone, and differs between services."""
    names = [snapshot(service).name for service in (*SERVICES, *SERVICES)]

    assert names[:3] == names[3:]
    assert len({*names}) == 3


def test_change_of_the_chassis_is_of_every_service() -> None:
    """All services run the chassis; other code belongs to one."""
    chassis = Change(frozenset([ROOT / "chassis" / "src" / "x.py"]), 0)
    frontend = Change(frozenset([FRONTEND.folder / "src" / "x.py"]), 0)
    tests = Change(frozenset([FRONTEND.folder / "tests" / "x.py"]), 0)

    assert [chassis.is_of_code(service) for service in SERVICES] == [True] * 3
    assert [service for service in SERVICES if frontend.is_of_code(service)] == [FRONTEND]
    assert not any(tests.is_of_code(service) for service in SERVICES)


def test_idle_watcher_costs_less_than_a_hundredth_of_a_core() -> None:
    """As long as nothing changes, watching costs next to nothing."""
    command = [sys.executable, "-c", WATCH]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    assert float(done.stdout) < 0.01


def test_snapshot_survives_folders_that_come_and_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkout or an editor may delete what has just been listed."""
    monkeypatch.setattr("tooling.project.ROOT", tmp_path)
    folder = FRONTEND.folder / "src" / "feature"
    folder.parent.mkdir(parents=True)

    def come_and_go() -> None:
        (folder / "a" / "b").mkdir(parents=True)
        (folder / "a" / "b" / "module.py").touch()
        shutil.rmtree(folder)

    with repeated(come_and_go, threads=1):
        names = {snapshot(FRONTEND).name for _ in range(100)}

    assert snapshot(FRONTEND).name in names


def test_times_of_files_are_known_to_every_file_system() -> None:
    """Some store all times after 2038 as the same one, so that Python would see no change."""
    with tarfile.open(fileobj=io.BytesIO(snapshot(FRONTEND).archive)) as archive:
        times = [member.mtime for member in archive.getmembers()]

    assert max(times) < 2**31
    assert len({*times}) > len(times) / 2


def test_file_with_a_time_in_the_future_was_saved_now(tmp_path: Path) -> None:
    """The time until a change is live is never negative."""
    file = tmp_path / "file"
    file.touch()
    os.utime(file, (time.time() + 3600, time.time() + 3600))

    assert change_of([file]).saved_at <= time.time()


def test_project_may_be_in_a_folder_that_is_left_out_elsewhere(tmp_path: Path) -> None:
    """Changes are noticed whatever the folders above the project are called."""
    clone = tmp_path / "node_modules" / "clone"
    shutil.copytree(ROOT / "tooling", clone / "tooling")
    (clone / "chassis" / "src").mkdir(parents=True)
    for service in SERVICES:
        (clone / service.folder.relative_to(ROOT)).mkdir(parents=True)

    command = [sys.executable, "-c", NOTICE]
    done = subprocess.run(command, cwd=clone, capture_output=True, timeout=60, check=True)

    assert done.stdout == b"module.py\n"


def test_code_that_cannot_be_watched_is_explained() -> None:
    """If the system allows no more watchers, the message says what to do, without a traceback."""
    command = [sys.executable, "-c", WITHOUT_FILES]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "The code cannot be watched: " in done.stderr
    assert "Too many open files" in done.stderr
    assert "sudo sysctl fs.inotify.max_user_instances=" in done.stderr
    assert "Traceback" not in done.stderr
