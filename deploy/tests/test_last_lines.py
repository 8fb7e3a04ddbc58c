"""The last line of a container that ends says what an operator can repair."""

import os
import subprocess
from pathlib import Path

import pytest

from tooling.project import ROOT

PASSWORDS = {
    "POSTGRES_PASSWORD_FILE": "superuser-password",
    "OWNER_PASSWORD_FILE": "password",
    "SERVICE_PASSWORD_FILE": "service-password",
}


@pytest.mark.parametrize("missing", PASSWORDS)
def test_missing_password_of_a_database_is_named(tmp_path: Path, missing: str) -> None:
    """The server does not start without one of its passwords, and says which."""
    files = {name: tmp_path / file for name, file in PASSWORDS.items()}
    for name, file in files.items():
        file.write_text("" if name == missing else "generated")

    done = subprocess.run(
        ["bash", str(ROOT / "deploy/postgres/create-application.sh"), "start"],
        env={**os.environ, **{name: str(file) for name, file in files.items()}},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"The database cannot start: {files[missing]}, a password, is missing, empty or unreadable."
    )
