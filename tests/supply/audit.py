"""`make audit`: look for known vulnerabilities in every package that a lock file names.

pip-audit asks PyPI about each; with VULNERABILITIES=all.zip it asks OSV's data in this file
(`osv`), which needs no network. It has an environment of its own, `.venv/auditor`.
"""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from testkit.environments import environment_of
from tests.supply.osv import osv_server
from tooling.console import say
from tooling.failures import Failure
from tooling.program import run_program
from tooling.project import ROOT

# The first has every package of the services and of the other locks, in the same versions.
LOCKS = ("development", "auditor", "clients", "scanner")


def main(environment: Mapping[str, str]) -> int:
    """Audit all lock files; return the exit status. Raises Failure."""
    programs = environment_of("auditor")
    saved = environment.get("VULNERABILITIES")
    if not saved:
        return _audit(programs)
    if not Path(saved).is_file():
        raise Failure(f"VULNERABILITIES={saved} is no file.")
    with osv_server(Path(saved)) as url:
        return _audit(programs, "--vulnerability-service", "osv", "--osv-url", url)


def _audit(programs: Path, *options: str) -> int:
    """Audit each lock file; return the first exit status that is not 0."""
    statuses = [_audit_lock(programs, f"requirements/{lock}.txt", *options) for lock in LOCKS]
    return next(filter(None, statuses), 0)


def _audit_lock(programs: Path, lock: str, *options: str) -> int:
    say(f"\n{lock}")
    # Strict: a package that the service does not know is a failure, not a row at the end.
    command = [str(programs / "python"), "-m", "pip_audit", "--strict", "--disable-pip"]
    done = subprocess.run([*command, *options, "--requirement", lock], cwd=ROOT, check=False)
    return done.returncode


if __name__ == "__main__":
    run_program(lambda: main(os.environ))
