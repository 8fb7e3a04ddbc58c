"""The running system stops on Ctrl-C and SIGTERM, whatever it has inherited."""

import signal
import sys
from collections.abc import Callable

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
