"""Makes what runs in the cluster reachable from this machine: `kubectl port-forward`."""

import re
import subprocess
import threading

from deploy.kubectl import NAMESPACE, Kubectl
from tooling.failures import Failure

HOST = "127.0.0.1"
_START_SECONDS = 30
_PAUSE_SECONDS = 1


class Forwarding:
    """Forwards a Service or Deployment to a port of this machine while a `with` block runs.

    The port is `here`, by default any free one; entering returns the address, and raises Failure if
    kubectl cannot forward. kubectl ends with the pod that it has chosen, and is started again with
    the same port.
    """

    def __init__(self, kubectl: Kubectl, name: str, port: int, *, here: str = "") -> None:
        self._kubectl = kubectl
        self._name = name
        self._port = port
        self._here = here
        self._began, self._is_over = threading.Event(), threading.Event()
        self._running: subprocess.Popen[str] | None = None
        self._said = ""
        self._thread = threading.Thread(target=self._forward, daemon=True)

    def __enter__(self) -> str:
        try:
            self._thread.start()
            if not self._began.wait(_START_SECONDS):
                raise Failure(f"kubectl cannot forward to {self._name}. {self._said}")
        except BaseException:  # Also on Ctrl-C, which kubectl does not get from the terminal.
            self.__exit__()
            raise
        return f"{HOST}:{self._here}"

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        if self._running is not None:
            self._running.terminate()
        self._thread.join()

    def _forward(self) -> None:
        while not self._is_over.is_set():
            what = (self._name, f"{self._here}:{self._port}")
            with subprocess.Popen(
                self._kubectl.command("port-forward", *what, f"--namespace={NAMESPACE}"),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            ) as self._running:
                if self._is_over.is_set():  # The block has ended since the last check.
                    self._running.terminate()
                for line in self._running.stdout or ():
                    self._said = line.strip()
                    if chosen := re.match(rf"Forwarding from {HOST}:(\d+)", line):
                        self._here = chosen[1]
                        self._began.set()
            self._is_over.wait(_PAUSE_SECONDS)
