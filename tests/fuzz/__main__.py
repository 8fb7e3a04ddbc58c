"""Sends each backend thousands of requests made from its own OpenAPI document (`make fuzz`).

A system of its own is started; schemathesis asks it as nobody, as a user and as the administrator,
with every check on: no 5xx, no status, header or body that the document does not state, no bad
input that is accepted, no good input that is refused. With `--requests` this begins again, with a
new system and other requests, until each backend was sent that number. Other arguments go to
schemathesis:

    make fuzz ARGS='--requests 50000'
    make fuzz ARGS='--max-examples 500 --seed 7'
"""

import os
import re
import subprocess
import sys
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path

from local.stack import SHARING_UNLIMITED, Stack, temporary_stack
from testkit.system import System, system_of
from tests.fuzz.hooks import CALLER_ID
from tooling.failures import Failure
from tooling.program import run_program
from tooling.project import ROOT

FOLDER = Path(__file__).parent
# With about 250 requests of each operation from its limits, and chains of requests, this makes
# over 1,000 requests for each backend and caller.
CASES_AN_OPERATION = "100"
SERVICES = ("thoughts", "users")
# What schemathesis says at its end: "  1757 generated, 1757 passed".
GENERATED = re.compile(r"\s*(\d+) generated\b")
SETTINGS = {**SHARING_UNLIMITED, "REGISTRATION": "open"}
USER = "bruce"
ADMIN = "the administrator"
# These end the caller's session: everything after them would only be refused. `hooks` keeps the
# caller from ending it in other ways.
NOT_AS_A_USER = "^/api/(logout|me/sessions)"


def main(arguments: list[str]) -> int:
    """Fuzz both backends; 1 if a check failed."""
    parser = ArgumentParser(add_help=False)
    parser.add_argument("--requests", type=int, default=1)
    ours, theirs = parser.parse_known_args(arguments)
    sent = Counter(dict.fromkeys(SERVICES, 0))
    failed: list[str] = []
    while services := [service for service in SERVICES if sent[service] < ours.requests]:
        with temporary_stack(SETTINGS) as stack:
            failed += _fuzz(stack, services, theirs, sent)
    for service, requests in sent.items():
        print(f"Sent {requests} requests to the {service} backend.")
    for name in failed:
        print(f"Failed: {name}", file=sys.stderr)
    return 1 if failed else 0


def _fuzz(stack: Stack, services: list[str], arguments: list[str], sent: Counter[str]) -> list[str]:
    """Ask each service as each caller, and count what is sent; return where a check failed."""
    system = system_of(stack)
    # The administrator is the last, because it deletes users.
    tokens = {
        "nobody": "",
        f"the user {USER}": system.log_in(USER, USER),
        ADMIN: system.admin.token,
    }
    failed = []
    for caller, token in tokens.items():
        caller_id = _id_of(system, token)
        for service in services:
            title = f"{service} as {caller}"
            options = [*_options(caller, token), *arguments]
            passes, requests = _run(stack.urls[service], title, options, caller_id)
            sent[service] += requests
            failed += [] if passes else [title]
            failed += [] if _id_of(system, token) == caller_id else [f"{title}: session ended"]
    return failed


def _id_of(system: System, token: str) -> str:
    """The id of the user with this token; "" without a session."""
    answer = system.users().get("/api/me/", token=token)
    return str(answer.json()["id"]) if answer.status == 200 else ""


def _options(caller: str, token: str) -> list[str]:
    """What schemathesis has to know of a caller."""
    if not token:
        return []
    # The token is also sent with the requests that should lack it; those are for nobody.
    unchecked = ["missing_required_header"]
    if caller == ADMIN:
        # It deletes what it has shared by an address that schemathesis does not know to be the
        # same thing.
        unchecked.append("ensure_resource_availability")
    return [
        *("--header", f"Authorization: Bearer {token}"),
        f"--exclude-path-regex={NOT_AS_A_USER}",
        f"--exclude-checks={','.join(unchecked)}",
    ]


def _run(url: str, title: str, options: list[str], caller_id: str) -> tuple[bool, int]:
    """Run schemathesis; return whether all checks passed, and how many requests it sent."""
    print(f"\n##### {title}", flush=True)
    command = [
        str(Path(sys.executable).with_name("st")),
        f"--config-file={FOLDER / 'schemathesis.toml'}",
        "run",
        *(f"{url}/schema/openapi.json", "--url", url),
        *("--checks", "all", "--max-examples", CASES_AN_OPERATION, "--continue-on-failure"),
        # What a caller may not do is answered with 401 or 403; that is no reason to warn.
        *("--warnings", "off"),
        *options,
    ]
    environment = os.environ | {"SCHEMATHESIS_HOOKS": "tests.fuzz.hooks", CALLER_ID: caller_id}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        requests = 0
        for line in process.stdout:
            print(line, end="", flush=True)
            if count := GENERATED.match(line):
                requests = int(count[1])
    if not requests:
        raise Failure(f"schemathesis sent nothing to {url}")
    return process.returncode == 0, requests


if __name__ == "__main__":
    run_program(lambda: main(sys.argv[1:]))
