"""Stopping a supervisor: its processes end with it."""

import psutil

from local.stack import STOP_SECONDS
from testkit.supervised import supervisor_of
from testkit.waiting import wait_until
from tooling.supervision import READY

# A service that says that it is ready, and does not stop when it is asked to.
STUBBORN = """
import os, signal, socket, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
print("serving", flush=True)
time.sleep(600)
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
