"""Runs a command of the Users Backend to its end, as operators do."""

import os
import subprocess
import sys
from collections.abc import Mapping


def run_command(
    environment: Mapping[str, str], *arguments: str, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run `python -m users_backend` with the arguments and this environment alone."""
    return subprocess.run(
        [sys.executable, "-m", "users_backend", *arguments],
        env={"PATH": os.defpath, **environment},
        cwd="/",
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
