"""Environments besides `.venv`, for tools with conflicting pins or that few tests need."""

import shutil
import sys
from pathlib import Path

from tooling.commands import run
from tooling.console import step
from tooling.environment import VENV, install_by_uv
from tooling.project import ROOT


def environment_of(name: str) -> Path:
    """Install `requirements/<name>.txt` into `.venv/<name>`; return its folder of programs.

    Does nothing if that is already installed. Raises Failure.
    """
    lock, folder = ROOT / "requirements" / f"{name}.txt", VENV / name
    installed, programs = folder / "installed.txt", folder / "bin"
    if not (installed.exists() and installed.read_bytes() == lock.read_bytes()):
        with step(f"Installing {lock.relative_to(ROOT)}"):
            run(sys.executable, "-m", "venv", "--clear", folder)
            install_by_uv("--require-hashes", "-r", lock, python=programs / "python")
        shutil.copy(lock, installed)
    return programs
