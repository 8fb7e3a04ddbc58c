"""`make cluster-dev DEBUGGER=...`: debugging a service in its pod."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from deploy.forwarding import Forwarding
from deploy.kubectl import Kubectl
from local.ports import free_port
from testkit.developer import Developer
from testkit.waiting import wait_until
from tooling.failures import Failure
from tooling.project import ROOT


def test_debugger_attaches(developer: Developer) -> None:
    """With DEBUGGER the service runs under debugpy, before and after a change of its code."""
    port = free_port()
    developer.cluster.forwarded = {"deployment/frontend": port}
    run = developer.start(SERVICE="frontend", DEBUGGER=str(port))
    run.wait_for("the working tree: live in 1 pod")
    first = initialize_debugger(port)

    developer.write_text("two")
    run.wait_for("text.py: live in 1 pod")
    second = initialize_debugger(port)

    assert first["success"] is second["success"] is True


def initialize_debugger(port: int) -> dict[str, Any]:
    """The first answer of the Debug Adapter Protocol."""
    arguments = {"adapterID": "test"}
    request = {"seq": 1, "type": "request", "command": "initialize", "arguments": arguments}
    body = json.dumps(request).encode()
    with socket.create_connection(("127.0.0.1", port), timeout=60) as debugger:
        debugger.sendall(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        messages = debugger.makefile("rb")
        while True:
            length = int(messages.readline().partition(b":")[2])
            messages.readline()
            message: dict[str, Any] = json.loads(messages.read(length))
            if message["type"] == "response":
                return message


def test_port_of_the_debugger_must_be_free(developer: Developer) -> None:
    """A port that another program uses is reported before anything changes."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        run = developer.start(SERVICE="frontend", DEBUGGER=port)

        assert run.process.wait(60) == 1

    assert f"port {port}. Choose another: DEBUGGER=PORT" in run.output
    assert not developer.cluster.pods_of("frontend")[0].takes_code


def test_what_kubectl_says_about_forwarding_is_reported(
    developer: Developer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If kubectl cannot forward, its reason is shown."""
    developer.install("kubectl", "echo 'error: no pod runs' >&2; exit 1")
    monkeypatch.setenv("PATH", f"{developer.cluster.bin}:{os.environ['PATH']}")

    forwarding = Forwarding(Kubectl("somewhere"), "deployment/frontend", 5678)
    # It gives up when kubectl has said something, however long that takes.
    monkeypatch.setattr(forwarding._began, "wait", lambda _: wait_until(lambda: forwarding._said))

    with pytest.raises(Failure, match=r"deployment/frontend\. error: no pod runs"):
        forwarding.__enter__()


def test_interrupted_forwarding_leaves_no_kubectl(developer: Developer, tmp_path: Path) -> None:
    """Ctrl-C while a pod is pending ends kubectl, which gets no signal from the terminal."""
    unfinished, pid = tmp_path / "unfinished", tmp_path / "pid"
    developer.install("kubectl", f"echo $$ >{unfinished}; mv {unfinished} {pid}; exec sleep 600")
    forward = (
        "from deploy.forwarding import Forwarding; from deploy.kubectl import Kubectl; "
        "from tooling.program import run_program; "
        "run_program(Forwarding(Kubectl('somewhere'), 'deployment/frontend', 5678).__enter__)"
    )
    path = f"{developer.cluster.bin}:{os.environ['PATH']}"
    command = [sys.executable, "-c", forward]
    with subprocess.Popen(command, cwd=ROOT, env={"PATH": path}, stderr=subprocess.DEVNULL) as run:
        wait_until(pid.exists)
        run.send_signal(signal.SIGINT)
    kubectl = int(pid.read_text())
    is_left = psutil.pid_exists(kubectl)
    if is_left:
        os.kill(kubectl, signal.SIGKILL)

    assert not is_left


def test_debugger_is_for_one_service(developer: Developer) -> None:
    """Several services cannot share its port."""
    run = developer.start(DEBUGGER="5678")

    assert run.process.wait(60) == 1
    assert "add SERVICE=frontend" in run.output
