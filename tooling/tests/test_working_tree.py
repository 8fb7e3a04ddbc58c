"""The code of the services: snapshots of it, and watching it."""

import io
import subprocess
import sys
import tarfile

from tooling.project import FRONTEND, ROOT, SERVICES
from tooling.working_tree import Change, snapshot

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
