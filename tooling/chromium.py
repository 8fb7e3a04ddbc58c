"""Finds the Chromium for the browser tests, and installs one if there is none.

`make test` runs this module before the tests.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping

from tooling.console import say
from tooling.failures import Failure
from tooling.program import run_program

_CANDIDATES = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
ADVICE = """\
The browser tests need Chromium, which could not be found or installed.
Install it (on Debian: apt-get install chromium) or set its path: make test CHROMIUM=/path/to/it
To skip the browser tests: make test NO_BROWSER=1"""


def chromium_path(environment: Mapping[str, str] = os.environ) -> str:
    """The path of Chromium: the variable CHROMIUM, the system's, or Playwright's.

    Raises Failure if there is none.
    """
    chosen = environment.get("CHROMIUM")
    if chosen:
        if shutil.which(chosen) is None:
            raise Failure(f"CHROMIUM={chosen} is not a program.\n{ADVICE}")
        return chosen
    found = next(filter(None, map(shutil.which, _CANDIDATES)), None)
    path = found or shutil.which(_ask_playwright() or "")
    if path is None:
        raise Failure(ADVICE)
    return path


def ensure_chromium() -> str:
    """The path of Chromium, after installing it and Playwright's requirements if necessary.

    Installs Debian's packages if this account may, otherwise Playwright's download. Raises Failure.
    """
    if os.environ.get("CHROMIUM") or _is_ready():
        return chromium_path()
    say("Installing Chromium for the browser tests.")
    for command in _installations():
        if not _is_ready():
            subprocess.run(command, check=False, stdin=subprocess.DEVNULL)
    return chromium_path()


def _is_ready() -> bool:
    """Whether Chromium exists and Playwright's driver runs: a minimal Debian lacks a library."""
    try:
        chromium_path()
    except Failure:
        return False
    return _ask_playwright() is not None


def _installations() -> list[list[str]]:
    """The commands to try in turn, depending on what this account may do."""
    as_root = _as_root()
    playwrights = [sys.executable, "-m", "playwright", "install", "chromium"]
    if shutil.which("apt-get") is None or as_root is None:
        return [playwrights]
    apt_get = [*as_root, "apt-get", "-q", "-y"]
    install = [*apt_get, "install", "--no-install-recommends"]
    # One by one: Ubuntu has no package `chromium`, and apt-get would install neither.
    return [
        [*apt_get, "update"],
        [*install, "chromium"],
        [*install, "libatomic1"],
        [*playwrights, "--with-deps"],
    ]


def _as_root() -> list[str] | None:
    """The prefix that runs a command as root without a prompt, or None if that is impossible."""
    if os.geteuid() == 0:
        return ["env", "DEBIAN_FRONTEND=noninteractive"]
    if shutil.which("sudo") is None:
        return None
    allowed = subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True).returncode
    return ["sudo", "-n", "env", "DEBIAN_FRONTEND=noninteractive"] if allowed == 0 else None


def _ask_playwright() -> str | None:
    """The path of Playwright's own Chromium, or None if its driver does not run.

    Runs in another process, because the caller may be inside an event loop.
    """
    question = (
        "from playwright.sync_api import sync_playwright\n"
        "with sync_playwright() as playwright: print(playwright.chromium.executable_path)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", question], check=False, capture_output=True, text=True
    )
    return answer.stdout.strip() if answer.returncode == 0 else None


if __name__ == "__main__":
    run_program(lambda: say(f"The browser tests use {ensure_chromium()}."))
