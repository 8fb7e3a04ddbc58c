"""Running other programs: kubectl, docker, and what makes clusters."""

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
    """Run a command in the root of the repository and return what it printed.

    `text` is its standard input. Raises DeployError with its last lines when it fails.
    """
    require(command[0])
    done = subprocess.run(
        command, cwd=ROOT, input=text, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise failure(command, done.stderr.strip() or done.stdout)
    return done.stdout


def run_joined(producer: Sequence[str], consumer: Sequence[str]) -> None:
    """Run two commands, the first's output being the second's input; raises DeployError."""
    require(producer[0])
    require(consumer[0])
    with (
        subprocess.Popen(producer, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as first,
        subprocess.Popen(
            consumer, stdin=first.stdout, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as second,
    ):
        if first.stdout is not None:
            # So that the first one hears of it when the second has ended.
            first.stdout.close()
        _, complaint = second.communicate()
        _, first_complaint = first.communicate()
    # The second's fault is told first: when it ends early, the first one cannot go on.
    for command, process, output in (
        (consumer, second, complaint),
        (producer, first, first_complaint),
    ):
        if process.returncode:
            raise failure(command, output.decode(errors="replace"))


def require(program: str) -> None:
    """Raise DeployError when there is no such program."""
    if not is_installed(program):
        raise DeployError(f"{program} is needed for this, and there is none on PATH. Install it.")


def failure(command: Sequence[str], output: str) -> DeployError:
    """The error of a command that failed, with the end of what it printed."""
    lines = [f"    {line}" for line in output.strip().splitlines()[-_SHOWN_LINES:]]
    return DeployError("\n".join([f"This did not work: {' '.join(command)}", *lines]))
