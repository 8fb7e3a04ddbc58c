"""Sends each backend thousands of requests made from its own OpenAPI document (`make fuzz`).

A system of its own is started; schemathesis asks it as nobody, as a user and as the administrator,
with every check on: no 5xx, no status, header or body that the document does not state, no bad
input that is accepted, no good input that is refused. Arguments go to schemathesis:

    make fuzz ARGS='--max-examples 500 --seed 7'
"""

import os
import subprocess
import sys
from pathlib import Path

from local.stack import SHARING_UNLIMITED, temporary_stack
from testkit.system import system_of
from tooling.program import run_program
from tooling.project import ROOT

FOLDER = Path(__file__).parent
# With about 250 requests of each operation from its limits, and chains of requests, this makes
# over 1,000 requests for each backend and caller.
CASES_AN_OPERATION = "100"
USER = "bruce"
ADMIN = "the administrator"
# These end the caller's session: everything after them would only be refused.
NOT_AS_A_USER = "^/api/(logout|me/sessions)"


def main(arguments: list[str]) -> int:
    """Fuzz both backends; 1 if a check failed."""
    with temporary_stack(SHARING_UNLIMITED) as stack:
        system = system_of(stack)
        options = {
            "nobody": [],
            f"the user {USER}": _as(system.log_in(USER, USER)),
            # The last, because it deletes users, and what it has shared itself by an address
            # that schemathesis does not know to be the same thing.
            ADMIN: [*_as(system.admin.token), "--exclude-checks=ensure_resource_availability"],
        }
        failed = [
            f"{service} as {caller}"
            for caller, its_options in options.items()
            for service in ("thoughts", "users")
            if not _passes(stack.urls[service], f"{service} as {caller}", its_options + arguments)
        ]
    for name in failed:
        print(f"Failed: {name}", file=sys.stderr)
    return 1 if failed else 0


def _passes(url: str, title: str, options: list[str]) -> bool:
    print(f"\n##### {title}", flush=True)
    command = [
        str(Path(sys.executable).with_name("st")),
        f"--config-file={FOLDER / 'schemathesis.toml'}",
        "run",
        f"{url}/schema/openapi.json",
        *("--checks", "all", "--max-examples", CASES_AN_OPERATION, "--continue-on-failure"),
        # What a caller may not do is answered with 401 or 403; that is no reason to warn.
        *("--warnings", "off"),
        *options,
    ]
    environment = os.environ | {"SCHEMATHESIS_HOOKS": "tests.fuzz.hooks"}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode == 0


def _as(token: str) -> list[str]:
    header = f"Authorization: Bearer {token}"
    return ["--header", header, f"--exclude-path-regex={NOT_AS_A_USER}"]


if __name__ == "__main__":
    run_program(lambda: main(sys.argv[1:]))
