"""Runs a service from a working tree, and replaces its process when another tree arrives.

    supervisor.py wait FOLDER             wait for the first tree
    supervisor.py run FOLDER COMMAND...   run a service, the last tree first on its PYTHONPATH
    supervisor.py receive FOLDER NAME     read a tree (tar) of this name from standard input, run it
    supervisor.py restart FOLDER          run the service again

It listens for the service and passes the socket on (LISTEN_FDS, sd_listen_fds(3)); a process that
says READY=1 (sd_notify(3)) takes the place of the old one, which serves until then. If none comes,
because the code is broken, the old one stays. Meanwhile a spare imports packages for the next one.
With DEBUGGER, a port, debugpy listens there, and the old process stops first. `receive` and
`restart` print `ready` or what failed; or nothing while no supervisor runs, because it starts with
the last tree anyway.

It needs only Python and spare.py; both files are mounted into images that do not contain them.
"""

import fcntl
import gzip
import math
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

START_SECONDS = 60
# For all processes together, and less than the 10 s after which `make dev` kills the supervisor:
# a process that it still runs would stay.
STOP_SECONDS = 8
# A replaced process that has not ended by then hangs: the services give requests 15 s.
REPLACED_SECONDS = 20
_PAUSE_SECONDS = 0.05
# From a replacement until a spare is started: other services may be starting, on the same cores.
_CALM_SECONDS = 0.5
_SPARE = Path(__file__).with_name("spare.py")
_LISTENER = 3
_READY = "ready"


def wait(folder: Path) -> None:
    """Wait until there is a tree."""
    while _current(folder) is None:
        time.sleep(_PAUSE_SECONDS)


def receive(folder: Path, name: str) -> None:
    """Unpack a tree beside the others, make it the current one, and have it run."""
    # Until it is the current one, it looks like others that may be deleted.
    with (folder / "unpacking").open("w") as unpacking:
        fcntl.flock(unpacking, fcntl.LOCK_SH)
        if (folder / name).exists():
            sys.stdin.buffer.read()  # Otherwise kubectl waits for a reader of what it sends.
        else:
            _unpack(folder, name)
        _link(folder, name)
    restart(folder, name)


def _unpack(folder: Path, name: str) -> None:
    unfinished = folder / f"{name}.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    with (
        gzip.open(sys.stdin.buffer) as compressed,
        tarfile.open(fileobj=compressed, mode="r|") as archive,
    ):
        # Python has this filter since 3.11.4, later than Debian 12's.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(unfinished)  # noqa: S202 (filtered, or from this machine)
        compressed.read()  # Raises an error unless everything has arrived.
    if old := _current(folder):
        _copy_compiled(old, unfinished)
    unfinished.rename(folder / name)


def restart(folder: Path, name: str = "") -> None:
    """Ask the supervisor to run the tree `name`, or its tree again; print its answer."""
    answer = ""
    nobody = suppress(FileNotFoundError, ConnectionRefusedError)
    with nobody, socket.socket(socket.AF_UNIX) as control:
        control.connect(str(folder / "control"))
        control.sendall(f"{name}\n".encode())
        answer = control.makefile().read()
    print(answer)


class Supervisor:
    """Listens for a service and runs its command; `run` serves until SIGTERM."""

    def __init__(self, folder: Path, command: Sequence[str]) -> None:
        self._folder = folder
        self._command = command
        self._serving: subprocess.Popen[bytes] | None = None
        # The next process, which has imported packages and waits for its code.
        self._spare: subprocess.Popen[bytes] | None = None
        self._replaced_at = 0.0
        # What it runs, and what the process ran that it has replaced.
        self._tree: Path | None = None
        self._old_tree: Path | None = None
        # All that run, with the time at which one is killed.
        self._processes: dict[subprocess.Popen[bytes], float] = {}
        self._control = _bind(folder / "control", socket.SOCK_STREAM)
        self._control.listen()
        self._control.settimeout(_PAUSE_SECONDS)

    def run(self) -> None:
        """Start the service, then replace its process whenever that is asked for."""
        try:
            if self._replace() != _READY and _current(self._folder) is None:
                sys.exit(1)  # Without trees, as for `make dev`, the first start has to succeed.
            while True:
                self._answer_next()
                self._report_end()
                self._kill_late()
                self._prepare_spare()
        finally:
            self._stop(*self._processes)

    def _answer_next(self) -> None:
        with suppress(TimeoutError):
            connection, _ = self._control.accept()
            with connection, suppress(OSError):
                name = connection.makefile().readline().strip()
                runs = self._serving is not None and self._tree == self._folder / name
                answer = _READY if name and runs else self._try_to_replace()
                connection.sendall(answer.encode())

    def _try_to_replace(self) -> str:
        try:
            return self._replace()
        except OSError as error:
            failure = f"no process can be started: {error}"
            print(f"supervisor: {failure}", flush=True)
            return failure

    def _replace(self) -> str:
        """Start a process from the current tree, and tell the old one to stop once it is ready."""
        kept = (self._serving, self._spare)
        leaving = [process for process in self._processes if process not in kept]
        # Except the last one: it may have been told to stop just now, and answers for a second.
        self._await_end(*leaving[:-1])
        _delete_others(self._folder, self._tree, self._old_tree)
        if "DEBUGGER" in os.environ and self._serving:
            self._stop(self._serving)  # Its port is needed.
            self._serving = None
        tree = _current(self._folder)
        with _bind(self._folder / "notices", socket.SOCK_DGRAM) as notices:
            new = self._start(tree)
            failure = _failure_of(new, notices)
        self._replaced_at = time.monotonic()
        if failure:
            self._stop(new)
            serves = self._serving is not None and self._serving.poll() is None
            failure += "; the old process still serves" if serves else "; there is no old process"
            print(f"supervisor: {failure}", flush=True)
            return failure
        if self._serving:
            self._serving.terminate()
            self._processes[self._serving] = self._replaced_at + REPLACED_SECONDS
        self._serving, self._tree, self._old_tree = new, tree, self._tree
        return _READY

    def _start(self, tree: Path | None) -> subprocess.Popen[bytes]:
        debugger = os.environ.get("DEBUGGER")
        # Each process keeps its own tree; for a debugger, the paths of the code stay the same.
        path = _python_path(self._folder / "current" if debugger and tree else tree)
        spare, self._spare = self._spare, None
        if spare and _run_on(spare, path):
            return spare
        python, *module = self._command
        if debugger:
            module = ["-m", "debugpy", "--listen", debugger, *module]
        return self._launch([python, *module], path)

    def _prepare_spare(self) -> None:
        """Start the process that will run the next tree, unless under a debugger; see spare.py."""
        python, *module = self._command
        is_calm = time.monotonic() > self._replaced_at + _CALM_SECONDS
        if self._spare is None and is_calm and module[0] == "-m" and "DEBUGGER" not in os.environ:
            command = [python, str(_SPARE), *module]
            self._spare = self._launch(command, _python_path(self._tree), subprocess.PIPE)

    def _launch(
        self, command: Sequence[str], path: str, stdin: int | None = None
    ) -> subprocess.Popen[bytes]:
        passed = {
            "PYTHONPATH": path,
            "LISTEN_FDS": "1",
            "NOTIFY_SOCKET": str(self._folder / "notices"),
            # At most: after the answer to its next request, a kept connection is closed earlier.
            "DRAIN_SECONDS": "1",
        }
        # The shell's process id is that of the service, which it becomes.
        shell = ["/bin/sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh"]
        with _end_later():  # Otherwise a process of which nobody knows could stay.
            process = subprocess.Popen(
                [*shell, *command], env=os.environ | passed, stdin=stdin, pass_fds=[_LISTENER]
            )
            self._processes[process] = math.inf
        return process

    def _report_end(self) -> None:
        if self._serving is not None and self._serving.poll() is not None:
            ending = f"the process ended with exit status {self._serving.returncode}"
            print(f"supervisor: {ending}; it starts again when the code changes", flush=True)
            self._serving = None

    def _kill_late(self) -> None:
        for process, at in self._processes.items():
            if time.monotonic() > at:
                process.kill()

    def _stop(self, *processes: subprocess.Popen[bytes]) -> None:
        for process in processes:
            process.terminate()
        self._await_end(*processes)

    def _await_end(self, *processes: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + STOP_SECONDS
        for process in processes:
            try:
                process.wait(max(0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            del self._processes[process]


def _python_path(tree: Path | None) -> str:
    if tree is None:
        return os.environ.get("PYTHONPATH", "")
    return f"{tree}/service:{tree}/chassis:{tree}/debugger"


def _run_on(spare: subprocess.Popen[bytes], path: str) -> bool:
    """Let a spare run the code at this PYTHONPATH; return whether it is still there to do so."""
    with suppress(BrokenPipeError):
        if spare.stdin:
            with spare.stdin:
                spare.stdin.write(f"{path}\n".encode())
            return True
    return False


def _failure_of(process: subprocess.Popen[bytes], notices: socket.socket) -> str:
    """Wait until the process is ready; return why it is not, or nothing."""
    notices.settimeout(_PAUSE_SECONDS)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with suppress(TimeoutError):
            notices.recv(64)
            return ""
        if process.poll() is not None:
            return f"the new process ended with exit status {process.returncode}"
    return f"the new process was not ready after {START_SECONDS} s"


def _current(folder: Path) -> Path | None:
    link = folder / "current"
    return link.resolve() if link.exists() else None


def _link(folder: Path, name: str) -> None:
    unfinished = folder / "current.unfinished"
    unfinished.unlink(missing_ok=True)
    unfinished.symlink_to(name)
    unfinished.rename(folder / "current")


def _copy_compiled(old: Path, new: Path) -> None:
    """Take over what Python has compiled: it is valid as long as a file's time and size are."""
    for compiled in old.rglob("__pycache__"):
        target = new / compiled.relative_to(old)
        if target.parent.is_dir():
            shutil.copytree(compiled, target)


def _delete_others(folder: Path, *trees: Path | None) -> None:
    """Delete the other trees, unless one is being unpacked; then the next time."""
    with (folder / "unpacking").open("w") as unpacking, suppress(BlockingIOError):
        fcntl.flock(unpacking, fcntl.LOCK_EX | fcntl.LOCK_NB)
        kept = {*trees, _current(folder)}
        for other in folder.iterdir():
            if other.is_dir() and not other.is_symlink() and other not in kept:
                shutil.rmtree(other, ignore_errors=True)


def _bind(path: Path, kind: socket.SocketKind) -> socket.socket:
    path.unlink(missing_ok=True)
    bound = socket.socket(socket.AF_UNIX, kind)
    bound.bind(str(path))
    return bound


def _listen() -> None:
    """Listen at HOST and PORT, with the descriptor that a service expects."""
    address = (os.environ["HOST"], int(os.environ["PORT"]))
    descriptor = socket.create_server(address, backlog=2048).detach()
    if descriptor != _LISTENER:
        os.dup2(descriptor, _LISTENER)
        os.close(descriptor)


def _end(number: int, _: object) -> None:
    # A second one would keep it from waiting for its processes, or killing them.
    signal.signal(number, signal.SIG_IGN)
    sys.exit(128 + number)


@contextmanager
def _end_later() -> Iterator[None]:
    """Let a SIGTERM that arrives during the block take effect after it."""
    received: list[int] = []
    # Not masked: the processes started meanwhile would inherit that.
    signal.signal(signal.SIGTERM, lambda number, _: received.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, _end)
        for number in received:
            signal.raise_signal(number)


def main() -> None:
    """Do what the command line says."""
    action, folder, *arguments = sys.argv[1:]
    # The first process of a container gets only the signals that it handles.
    signal.signal(signal.SIGTERM, _end)
    if action == "run":
        _listen()
        Supervisor(Path(folder), arguments).run()
    elif action == "receive":
        receive(Path(folder), arguments[0])
    elif action == "restart":
        restart(Path(folder))
    else:
        wait(Path(folder))


if __name__ == "__main__":
    main()
