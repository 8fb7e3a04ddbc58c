"""`make test-compose`: runs the tests of the whole system against Docker Compose.

They are the same tests that `make test` runs against processes, but for those about what pages
contain: that is the same in containers. Those that stop parts of the system come last, one at a
time. Further arguments go to pytest.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from local.stack import SHARING_UNLIMITED
from testkit.compose_project import Project
from tooling.program import run_program
from tooling.project import FRONTEND, ROOT, THOUGHTS, USERS

PYTEST = (sys.executable, "-m", "pytest", "tests")
# Tests that do not disturb each other run in parallel.
RUNS = (
    ("-n", "auto", "--dist", "loadfile", "-m", "system and not faults and not contents"),
    ("-m", "system and faults"),
)


def main(arguments: Sequence[str]) -> int:
    """Start the system, run the tests, remove it; returns the first failed run's exit status."""
    # Compose hands them on to the services, also when a test starts one again.
    os.environ.update(SHARING_UNLIMITED)
    with Project() as project, tempfile.NamedTemporaryFile("w") as password_file:
        print(f"Starting the project {project.name} of Docker Compose", flush=True)
        project.up()
        password_file.write(project.admin_password)
        password_file.flush()
        environment = os.environ | environment_of(project, Path(password_file.name))
        statuses = [
            subprocess.run([*PYTEST, *run, *arguments], cwd=ROOT, env=environment, check=False)
            for run in RUNS
        ]
    return next((done.returncode for done in statuses if done.returncode), 0)


def environment_of(project: Project, password_file: Path) -> Mapping[str, str]:
    """The variables that point the tests to the project, and the project's own for Compose."""
    return {name: str(port) for name, port in project.ports.items()} | {
        "MYTHOUGHTS_COMPOSE_PROJECT": project.name,
        "MYTHOUGHTS_FRONTEND_URL": project.url(FRONTEND),
        "MYTHOUGHTS_THOUGHTS_URL": project.url(THOUGHTS),
        "MYTHOUGHTS_USERS_URL": project.url(USERS),
        "MYTHOUGHTS_ADMIN_PASSWORD_FILE": str(password_file),
    }


if __name__ == "__main__":
    run_program(lambda: main(sys.argv[1:]))
