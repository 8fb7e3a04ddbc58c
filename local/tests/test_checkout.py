"""A clone contains the committed files, however git is configured."""

import subprocess
from pathlib import Path

from tooling.project import ROOT


def test_text_keeps_its_line_ends_on_windows(tmp_path: Path) -> None:
    """With `core.autocrlf`, as on Windows, no text file gets a carriage return."""
    clone = tmp_path / "clone"
    command = ["git", "clone", "--quiet", "--config=core.autocrlf=true", str(ROOT), str(clone)]
    subprocess.run(command, check=True, capture_output=True)

    listed = subprocess.run(
        ["git", "ls-files", "--eol"], cwd=clone, check=True, capture_output=True, text=True
    ).stdout.splitlines()

    assert listed
    assert [line for line in listed if "w/crlf" in line or "w/mixed" in line] == []
