"""Free ports: no two processes are given the same one."""

import random
import re
import socket
import subprocess
import sys

import psutil
import pytest

from local import ports
from local.services import choose_ports
from tooling.failures import Failure

# Chooses two ports from the range that its arguments name, and reports them until it is stopped.
CHOOSER = """
import sys
from local import ports
ports._CANDIDATES = range(*map(int, sys.argv[1:]))
print(ports.free_port(), ports.free_port(), flush=True)
sys.stdin.read()
"""


def failure_of(**wanted: int) -> str:
    """The message about ports of which some cannot be used."""
    with pytest.raises(Failure) as raised:
        choose_ports(wanted)
    return str(raised.value)


def test_one_line_gives_another_port_to_each(four_ports: range) -> None:
    """Two services get ports that differ, also from what was chosen for a third."""
    port = four_ports.start
    with socket.create_server(("127.0.0.1", port)):
        message = failure_of(thoughts=port, users=port, frontend=port + 1000)

    found = re.search(r"Add to the command: THOUGHTS_PORT=(\d+) USERS_PORT=(\d+)", message)
    assert found
    others = {int(port) for port in found.groups()}
    assert len(others) == 2
    assert others.isdisjoint({port, port + 1000})


def test_suggested_port_is_one() -> None:
    """Above the highest ports there are no others, so a lower one is suggested."""
    port = next(port for port in range(65_535, 64_536, -1) if not ports.fault_of(port))
    with socket.create_server(("127.0.0.1", port)):
        message = failure_of(frontend=port)

    assert int(message.rpartition("FRONTEND_PORT=")[2]) < port


def test_same_port_twice_is_refused() -> None:
    """Two services cannot have one port, also if it is free."""
    port = ports.free_port()

    message = failure_of(thoughts=port, users=port)

    assert f"Port {port} is that of THOUGHTS_PORT already.\n" in message
    assert "Add to the command: USERS_PORT=" in message


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
    """The reservation is no obstacle to it."""
    port = ports.free_port()
    with socket.create_server(("127.0.0.1", port)):
        assert ports.fault_of(port) is not None


def test_number_of_reservations_is_limited() -> None:
    """A process that chooses many ports gives up the oldest reservations, without a warning."""
    process = psutil.Process()
    for _ in range(ports._MOST_RESERVATIONS):
        ports.free_port()
    before = len(process.net_connections("udp4"))

    for _ in range(ports._MOST_RESERVATIONS):
        ports.free_port()

    assert len(process.net_connections("udp4")) == before
