"""Free ports: no two processes are given the same one."""

import random
import socket
import subprocess
import sys

import psutil
import pytest

from local import ports

# Chooses two ports from the range that its arguments name, and reports them until it is stopped.
CHOOSER = """
import sys
from local import ports
ports._CANDIDATES = range(*map(int, sys.argv[1:]))
print(ports.free_port(), ports.free_port(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def four_ports(monkeypatch: pytest.MonkeyPatch) -> range:
    """Four neighbouring ports that are free, from which only this test chooses."""
    while True:
        first = random.randrange(10_000, 14_990)
        candidates = range(first, first + 4)
        if not any(ports.fault_of(port) for port in candidates):
            monkeypatch.setattr(ports, "_CANDIDATES", candidates)
            return candidates


def test_two_processes_choose_different_ports(four_ports: range) -> None:
    """The one that chooses second avoids the ports of the first, before anything listens."""
    bounds = [str(four_ports.start), str(four_ports.stop)]
    with subprocess.Popen(
        [sys.executable, "-c", CHOOSER, *bounds],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as chooser:
        assert chooser.stdout is not None
        theirs = {int(port) for port in chooser.stdout.readline().split()}
        ours = {ports.free_port(), ports.free_port()}
        chooser.communicate()

    assert theirs | ours == set(four_ports)


def test_a_server_can_listen_on_a_chosen_port() -> None:
    """The reservation does not stand in its way."""
    port = ports.free_port()
    with socket.create_server(("127.0.0.1", port)):
        assert ports.fault_of(port) is not None


def test_number_of_reservations_is_limited() -> None:
    """A process that chooses many ports gives up the oldest reservations, without a warning."""
    process = psutil.Process()
    for _ in range(ports._MOST_RESERVATIONS):
        ports.free_port()
    before = process.num_fds()

    for _ in range(ports._MOST_RESERVATIONS):
        ports.free_port()

    assert process.num_fds() == before
