"""Running other programs: kubectl, docker, and the cluster tools."""

import shutil
import subprocess
from collections.abc import Sequence

from deploy.failures import DeployError
from local.services import ROOT

_SHOWN_LINES = 15


def is_installed(program: str) -> bool:
    """Whether a program of this name is on PATH."""
    return shutil.which(program) is not None


def run(*command: str, text: str = "") -> str:
    """Run a command in the root of the repository and return its output.

    `text` is its standard input. Raises DeployError with the last lines of output if it fails.
    """
    require(command[0])
    done = subprocess.run(
        command, cwd=ROOT, input=text, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise failure(command, done.stderr.strip() or done.stdout)
    return done.stdout


def run_joined(producer: Sequence[str], consumer: Sequence[str]) -> None:
    """Run two commands, piping the first's output into the second; raises DeployError."""
    require(producer[0])
    require(consumer[0])
    with (
        subprocess.Popen(producer, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as first,
        subprocess.Popen(
            consumer, stdin=first.stdout, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as second,
    ):
        if first.stdout is not None:
            # So that the first one notices when the second has ended.
            first.stdout.close()
        _, complaint = second.communicate()
        _, first_complaint = first.communicate()
    # The second's error is reported first: if it ends early, the first one cannot continue.
    for command, process, output in (
        (consumer, second, complaint),
        (producer, first, first_complaint),
    ):
        if process.returncode:
            raise failure(command, output.decode(errors="replace"))


def require(program: str) -> None:
    """Raise DeployError if the program is not installed."""
    if not is_installed(program):
        raise DeployError(f"{program} is needed for this, but it is not on PATH. Install it.")


def failure(command: Sequence[str], output: str) -> DeployError:
    """The error for a command that failed, with the last lines of its output."""
    lines = [f"    {line}" for line in output.strip().splitlines()[-_SHOWN_LINES:]]
    return DeployError("\n".join([f"This command failed: {' '.join(command)}", *lines]))
