"""Finds the Chromium that the browser tests drive, and installs one where there is none.

python -m local.chromium      prints its path, after installing it if need be
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from local.console import complain, say

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_APPLICATIONS = (
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
)
ADVICE = """\
The browser tests need Chromium, and it could neither be found nor installed.
Install it (on Debian: apt-get install chromium) or give its path: make test CHROMIUM=/path/to/it
To leave the browser tests out: make test NO_BROWSER=1"""


class NoChromium(Exception):
    """There is no Chromium; `str()` says what to do."""


def chromium_path(environment: Mapping[str, str] = os.environ) -> str:
    """The path of Chromium: what the variable CHROMIUM says, the system's, or Playwright's.

    Raises NoChromium.
    """
    chosen = environment.get("CHROMIUM")
    if chosen:
        if shutil.which(chosen) is None:
            raise NoChromium(f"CHROMIUM={chosen} is not a program.\n{ADVICE}")
        return chosen
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    applications = [str(path) for path in _APPLICATIONS if path.exists()]
    path = found or next(iter(applications), None) or _playwrights_own()
    if path is None:
        raise NoChromium(ADVICE)
    return path


def ensure_chromium() -> str:
    """The path of Chromium, installed now if need be: Debian's package, else Playwright's.

    Raises NoChromium.
    """
    try:
        return chromium_path()
    except NoChromium:
        if os.environ.get("CHROMIUM"):
            raise
    say("There is no Chromium: installing it for the browser tests.")
    for command in _installations():
        subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    return chromium_path()


def _installations() -> list[list[str]]:
    """The commands to try, by what this account may do."""
    as_root = _as_root()
    if shutil.which("apt-get") and as_root is not None:
        return [
            [*as_root, "apt-get", "update", "-q"],
            [*as_root, "apt-get", "install", "-q", "-y", "--no-install-recommends", "chromium"],
        ]
    return [[sys.executable, "-m", "playwright", "install", "chromium"]]


def _as_root() -> list[str] | None:
    """What to put before a command to run it as root without being asked; None: impossible."""
    if os.geteuid() == 0:
        return ["env", "DEBIAN_FRONTEND=noninteractive"]
    if shutil.which("sudo") is None:
        return None
    allowed = subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True).returncode
    return ["sudo", "-n", "env", "DEBIAN_FRONTEND=noninteractive"] if allowed == 0 else None


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 (takes 0.5 s, seldom needed)

    with sync_playwright() as playwright:
        path = Path(playwright.chromium.executable_path)
    return str(path) if path.exists() else None


def main() -> int:
    """Print the path; the exit status."""
    try:
        say(ensure_chromium())
    except NoChromium as error:
        complain(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
