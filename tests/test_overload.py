"""Overload: a slow backend, made slow on purpose, costs its own pages alone."""

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from local.stack import temporary_stack
from testkit.system import System, system_of
from testkit.waiting import wait_until
from tooling.project import ROOT

pytestmark = pytest.mark.security

LOAD = ROOT / "deploy" / "kubernetes" / "load" / "load.py"


@pytest.fixture
def slow_system() -> Iterator[System]:
    """A system of its own, whose Thoughts Backend takes a second for everything."""
    with temporary_stack({"FAULT_SWITCHES": "true"}) as stack:
        system = system_of(stack)
        backend, faults = system.thoughts(system.admin), {"delay_seconds": 1}
        wait_until(lambda: backend.post("/admin/faults", json=faults).status == 200)
        yield system


def test_slow_backend_costs_its_own_pages_alone(slow_system: System) -> None:
    """Of 32 clients of a search page few are served and most get 503; the login page is served."""
    url = f"{slow_system.frontend_url}/search?search=time"
    login = slow_system.frontend()
    load = [sys.executable, str(LOAD), url, "32", "5"]
    with subprocess.Popen(load, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        status = login.get("/login/").status
        *_, total = process.stdout

    counts = {status: int(count) for count, status in re.findall(r"(\d+) x (\d+)", total)}
    assert counts.keys() == {"200", "503"}
    assert counts["503"] > counts["200"] > 0
    assert status == 200
