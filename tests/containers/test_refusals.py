"""A container that cannot start reports in one line what is missing."""

import os
import subprocess

from testkit.compose_project import Project
from testkit.docker import Image, run_docker
from tooling.project import ROOT

KEYS = "/etc/mythoughts/token-public-keys/public-keys.json"
SETTINGS = {
    "thoughts_backend": (
        "DATABASE_URL=postgresql://thoughts@127.0.0.1/thoughts",
        "USERS_BACKEND_URL=http://users",
    ),
    "users_backend": (
        "DATABASE_URL=postgresql://users@127.0.0.1/users",
        f"TOKEN_PRIVATE_KEYS_PATH={KEYS}",
    ),
    "frontend": ("THOUGHTS_BACKEND_URL=http://thoughts", "USERS_BACKEND_URL=http://users"),
}


def started(image: Image, *environment: str) -> "subprocess.CompletedProcess[str]":
    """Start a hardened container that is expected to exit."""
    hardening = ("--read-only", "--cap-drop=ALL", "--network=none", "--tmpfs=/tmp")
    settings = (f"--env={item}" for item in environment)
    return run_docker("run", "--rm", *hardening, *settings, image.reference)


def test_missing_settings_are_named(image: Image) -> None:
    """Without settings a container exits with status 2, and names each missing setting."""
    done = started(image)

    names = [line.split(": ")[1] for line in done.stderr.splitlines()]
    expected = {item.partition("=")[0] for item in SETTINGS[image.service.package]}
    assert done.returncode == 2
    assert len(names) == len(set(names))
    assert set(names) == expected | {"TOKEN_PUBLIC_KEYS_PATH"}


def test_missing_keys_are_named_in_one_line(image: Image) -> None:
    """Without its key file a container exits with status 2 and one line that names the file."""
    done = started(image, *SETTINGS[image.service.package], f"TOKEN_PUBLIC_KEYS_PATH={KEYS}")

    assert done.returncode == 2
    assert done.stderr == (
        f"{image.name}: cannot read the key file {KEYS}: No such file or directory\n"
    )


def test_missing_secret_is_named(image: Image) -> None:
    """If a secret's file is not mounted, the container exits with status 2 and names the file."""
    file = "/etc/mythoughts/database/url"

    done = started(image, f"TOKEN_ISSUER_FILE={file}")

    expected = f"{image.name}: TOKEN_ISSUER: cannot read {file}: No such file or directory"
    assert done.returncode == 2
    assert expected in done.stderr.splitlines()


def test_make_shows_why_a_container_does_not_start() -> None:
    """After a wrong setting `make compose-up` ends with what the container that failed says."""
    with Project() as project:
        settings = {"COMPOSE_PROJECT_NAME": project.name, "LOG_LEVEL": "loud"}
        ports = {name: str(port) for name, port in project.ports.items()}
        done = subprocess.run(
            ["make", "compose-up"],
            cwd=ROOT,
            env=os.environ | ports | settings,
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode != 0
    assert "LOG_LEVEL: must be debug, info, warning or error, got 'loud'" in done.stdout
