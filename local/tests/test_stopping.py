"""The running system stops on Ctrl-C and SIGTERM, whatever it has inherited."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from testkit.deaf import DEAF
from testkit.trees import READY, Tree


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("verb", ["up", "dev"])
def test_stopped_system_leaves_no_process(
    used_tree: Tree,
    verb: str,
    number: signal.Signals,
    all_gone: Callable[[list[psutil.Process]], bool],
) -> None:
    """A system that runs in the foreground stops with all its processes."""
    run = used_tree.run(*DEAF, sys.executable, "-m", "local", verb)
    run.wait_for(READY)
    processes = run.descendants()

    run.send(number)

    assert run.wait() == 0
    assert len(processes) >= 4
    assert all_gone(processes)


def test_dev_needs_no_short_path_for_temporary_files(used_tree: Tree, tmp_path: Path) -> None:
    """`make dev` starts and stops with a TMPDIR whose path is too long for a socket."""
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    run = used_tree.local_command("dev", TMPDIR=str(folder))
    run.wait_for(READY)

    run.send(signal.SIGINT)

    assert run.wait() == 0
