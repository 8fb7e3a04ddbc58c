"""A spare, which has imported packages before the code that it runs arrives."""

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from testkit.supervised import Supervised, supervisor_of
from testkit.waiting import wait_until
from tooling.supervision import READY

# Prints what it finds, before its imports where that matters, and says that it is ready.
SERVICE = """
import json, os, sys
found = {"is_warm": "fruit" in sys.modules, "is_stale": "grove.text" in sys.modules}
import fruit
import socket, time
from grove import text
environment = {name: value for name, value in os.environ.items() if name != "LISTEN_PID"}
found |= {"fruit": fruit.NAME, "text": text.TEXT, "file": __file__, "argv": sys.argv}
found |= {"listens": int(os.environ["LISTEN_PID"]) == os.getpid(), "pid": os.getpid()}
found |= {"environment": environment, "path": sys.path, "input": sys.stdin.read()}
print(json.dumps(found), flush=True)
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
time.sleep(600)
"""


def tree(text: str, **files: str) -> bytes:
    """A tree with the service, whose module `text` has this text, and more files.

    As in those of a working tree, the time of a file says what is in it.
    """
    files = {"grove/__main__.py": SERVICE, "grove/text.py": f"TEXT = {text!r}\n", **files}
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name, content in {"grove/__init__.py": "", **files}.items():
            entry = tarfile.TarInfo(f"service/{name}")
            entry.size = len(content.encode())
            entry.mtime = zlib.crc32(content.encode())
            tar.addfile(entry, io.BytesIO(content.encode()))
    return archive.getvalue()


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """The Python of an environment in which the package `fruit` is installed."""
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin" / "python"
    install(python, "apple")
    return python


def install(python: Path, name: str) -> None:
    """Install a version of the package `fruit`, in the place of another."""
    (packages,) = python.parent.parent.glob("lib/python*/site-packages")
    for old in packages.glob("fruit*"):
        old.unlink()
    (packages / "fruit.py").write_text(f"NAME = {name!r}\n")
    (packages / f"fruit-{name}.txt").touch()


@pytest.fixture
def service(python: Path) -> Iterator[Supervised]:
    """A service that runs the tree `one`, and has a spare."""
    with supervisor_of(["-m", "grove", "serve"], {}, python=python) as supervised:
        supervised.ask("receive", "one", tree=tree("one"))
        supervised.process.start()
        spare_of(supervised)
        yield supervised


def spare_of(service: Supervised) -> psutil.Process:
    """The spare, once there is one."""
    found: list[psutil.Process] = []

    def look() -> bool:
        known = {start["pid"] for start in starts(service)}
        children = psutil.Process(service.process.pid).children()
        found[:] = [child for child in children if child.pid not in known]
        return bool(known and found)

    wait_until(look, what=lambda: "\n".join(service.output))
    return found[0]


def starts(service: Supervised) -> list[dict[str, Any]]:
    """What the processes that were started have found."""
    return [json.loads(line) for line in service.output if line.startswith("{")]


def start_of(service: Supervised, name: str, archive: bytes) -> dict[str, Any]:
    """What the process finds that is started for a new tree."""
    assert service.ask("receive", name, tree=archive) == READY, service.output
    wait_until(lambda: any(f"/{name}/" in start["file"] for start in starts(service)))
    return starts(service)[-1]


def test_spare_becomes_the_next_process(service: Supervised) -> None:
    """It has imported the installed packages that the code names, but nothing of the old code."""
    spare = spare_of(service)

    second = start_of(service, "two", tree("two"))

    assert second["pid"] == spare.pid
    assert second["is_warm"]
    assert not second["is_stale"]
    assert (second["fruit"], second["text"]) == ("apple", "two")


def test_it_is_like_a_fresh_process(service: Supervised) -> None:
    """Its arguments, path, environment, standard input and socket are those of a first process."""
    first = starts(service)[0]

    second = start_of(service, "two", tree("one"))

    assert not first["is_warm"]
    assert second["listens"]
    compared = ("argv", "path", "environment", "input", "file", "listens")
    before, after = (json.dumps({key: start[key] for key in compared}) for start in (first, second))
    folder = service.folder
    assert after.replace(f"{folder}/two/", f"{folder}/one/") == before


def test_next_process_has_a_spare_as_well(service: Supervised) -> None:
    """After each replacement there is another spare."""
    start_of(service, "two", tree("two"))
    spare = spare_of(service)

    third = start_of(service, "three", tree("three"))

    assert third["pid"] == spare.pid
    assert third["text"] == "three"


def test_killed_spare_is_not_missed(service: Supervised) -> None:
    """Without the spare, the next process is started as the first one was."""
    spare = spare_of(service)
    spare.kill()
    wait_until(lambda: spare.status() == psutil.STATUS_ZOMBIE)

    second = start_of(service, "two", tree("two"))

    assert not second["is_warm"]
    assert second["text"] == "two"


def test_new_packages_are_used(service: Supervised, python: Path) -> None:
    """If packages were installed after the spare imported them, a fresh process runs the code."""
    sleeps(spare_of(service))
    install(python, "pear")

    second = start_of(service, "two", tree("two"))

    assert (second["fruit"], second["is_warm"]) == ("pear", False)


def test_package_of_the_tree_comes_first(service: Supervised) -> None:
    """The code may now have a package with the name of an installed one."""
    sleeps(spare_of(service))

    second = start_of(service, "two", tree("two", **{"fruit/__init__.py": "NAME = 'plum'\n"}))

    assert (second["fruit"], second["is_warm"]) == ("plum", False)


def test_package_that_cannot_be_imported_is_the_services_matter(service: Supervised) -> None:
    """What is imported and fails, or is not installed, fails in the service if it needs it."""
    start_of(service, "two", tree("two", **{"grove/unused.py": "import missing\n"}))
    spare = spare_of(service)

    third = start_of(service, "three", tree("three"))

    assert (third["pid"], third["is_warm"]) == (spare.pid, True)


def test_broken_code_is_reported_and_the_next_runs(service: Supervised) -> None:
    """A spare that runs broken code fails as any process would."""
    answer = service.ask("receive", "two", tree=tree("two", **{"grove/text.py": "TEXT = (\n"}))

    third = start_of(service, "three", tree("three"))

    assert answer == "the new process ended with exit status 1; the old process still serves"
    assert any("SyntaxError" in line for line in service.output)
    assert third["text"] == "three"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_spare_ends_with_its_supervisor(service: Supervised, number: signal.Signals) -> None:
    """Whether the supervisor is stopped or killed, the spare neither stays nor runs the code."""
    spare = spare_of(service)
    children = psutil.Process(service.process.pid).children()

    os.kill(service.process.pid, number)

    try:
        wait_until(lambda: not spare.is_running())
    finally:
        for child in children:
            if child.is_running():
                child.kill()
    service.process.wait(timeout_seconds=60)
    assert [line for line in service.output if not line.startswith("{")] == []


def test_debugger_has_no_spare(python: Path) -> None:
    """Under a debugger, each process is started with it."""
    (packages,) = python.parent.parent.glob("lib/python*/site-packages")
    (packages / "debugpy.py").write_text(
        "import runpy, sys\n"
        "sys.argv[:] = sys.argv[4:]\n"
        "runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)\n"
    )
    with supervisor_of(["-m", "grove"], {"DEBUGGER": "1"}, python=python) as service:
        service.ask("receive", "one", tree=tree("one"))
        service.process.start()
        wait_until(lambda: starts(service), what=lambda: "\n".join(service.output))

        # Longer than it takes until another service has a spare.
        time.sleep(2)

        (only,) = psutil.Process(service.process.pid).children()
        assert "debugpy" in only.cmdline()


def sleeps(spare: psutil.Process) -> None:
    """Wait until a spare has imported everything, and waits."""
    times = [spare.cpu_times()]

    def has_not_run() -> bool:
        times.append(spare.cpu_times())
        return times[-1] == times[-2] and spare.status() == psutil.STATUS_SLEEPING

    wait_until(has_not_run)
