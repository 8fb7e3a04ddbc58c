"""Finding Chromium."""

import subprocess
from pathlib import Path

import pytest

from tooling import chromium
from tooling.chromium import chromium_path
from tooling.failures import Failure


def test_chosen_chromium_is_used(tmp_path: Path) -> None:
    """The variable CHROMIUM takes precedence."""
    program = tmp_path / "my chromium"
    program.touch(mode=0o755)

    assert chromium_path({"CHROMIUM": str(program)}) == str(program)


def test_wrong_choice_is_explained(tmp_path: Path) -> None:
    """A CHROMIUM that is not a program is rejected, with alternatives."""
    with pytest.raises(Failure, match="make test NO_BROWSER=1"):
        chromium_path({"CHROMIUM": str(tmp_path / "nothing")})


APT_GET = """#!/bin/sh
case "$*" in
    *chromium*) exit 100 ;;
    *) echo "$*" >> "$0.log" ;;
esac
"""


def test_library_is_installed_where_there_is_no_chromium(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where apt-get knows no package `chromium`, it still installs what Playwright needs."""
    program = tmp_path / "apt-get"
    program.write_text(APT_GET)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(chromium, "_as_root", list)

    for command in chromium._installations():
        if command[0] == "apt-get":
            subprocess.run(command, check=False)

    *_, last = Path(f"{program}.log").read_text().splitlines()
    assert last.endswith("libatomic1")
