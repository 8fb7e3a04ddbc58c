"""The tools that read our documents and pages as outsiders do, from PyPI and from npm.

`make test` runs this module before the tests. The environment is `.venv/clients`: Node and the
packages of `requirements/clients.txt`, and in its `node_modules` those of `package-lock.json`.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from testkit.environments import environment_of
from tooling import commands
from tooling.console import step
from tooling.environment import VENV
from tooling.failures import Failure
from tooling.program import run_program

FOLDER = Path(__file__).parent
ENVIRONMENT = VENV / "clients"
MODULES = ENVIRONMENT / "node_modules"
ADVICE = """\
The tests of API clients and of the pages' HTML need packages from PyPI and npm, and these could not
be installed. To skip these tests: make test NO_NODE=1"""


def main(arguments: list[str]) -> int:
    """Install the tools, or run npm with the arguments in this folder; the exit status."""
    try:
        _ensure_installed()
    except Failure as failure:
        raise Failure(f"{failure}\n{ADVICE}") from failure
    return run("npm", *arguments, cwd=FOLDER, capture_output=False).returncode if arguments else 0


def run(
    *command: str | Path, capture_output: bool = True, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run a program of the environment; its exit status is not looked at."""
    assert MODULES.exists(), ADVICE
    folders = (ENVIRONMENT / "bin", MODULES / ".bin", os.environ["PATH"])
    environment = os.environ | {
        "PATH": os.pathsep.join(map(str, folders)),
        "NODE_PATH": str(MODULES),
        "NO_COLOR": "1",
    }
    return subprocess.run(
        command, env=environment, capture_output=capture_output, text=True, check=False, **options
    )


def _ensure_installed() -> None:
    programs = environment_of("clients")
    lock, installed = FOLDER / "package-lock.json", MODULES / "installed.json"
    if installed.exists() and installed.read_bytes() == lock.read_bytes():
        return
    with step("Installing tests/clients/package-lock.json"):
        for name in (".npmrc", "package.json", "package-lock.json"):
            shutil.copy(FOLDER / name, ENVIRONMENT)
        commands.run(programs / "npm", "ci", "--prefix", ENVIRONMENT)
    shutil.copy(lock, installed)


if __name__ == "__main__":
    run_program(lambda: main(sys.argv[1:]))
