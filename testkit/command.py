"""Runs a command of the Users Backend to its end, as operators do."""

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import BinaryIO


def run_command(
    environment: Mapping[str, str], *arguments: str, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run `python -m users_backend` with the arguments and this environment alone.

    Surrogates stand for bytes that are not UTF-8 (PEP 383).
    """
    return subprocess.run(
        [sys.executable, "-m", "users_backend", *arguments],
        env={"PATH": os.defpath, **environment},
        cwd="/",
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
        timeout=60,
    )


def run_in_terminal(
    environment: Mapping[str, str], *arguments: str, typed: Mapping[str, str]
) -> list[str]:
    """Run it in a terminal, answer each prompt with `typed`, and return the lines on the screen."""
    ours, terminal = os.openpty()
    with (
        os.fdopen(ours, "rb", buffering=0) as screen,
        subprocess.Popen(
            [sys.executable, "-m", "users_backend", *arguments],
            env={"PATH": os.defpath, **environment},
            cwd="/",
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            preexec_fn=lambda: os.login_tty(terminal),  # noqa: PLW1509 (a few system calls)
        ) as process,
    ):
        os.close(terminal)
        output = b""
        for prompt, answer in typed.items():
            while not output.endswith(prompt.encode()):
                output += screen.read(1)
            os.write(ours, answer.encode() + b"\n")
        output += _rest(screen)
        process.wait(timeout=60)
    return output.decode().splitlines()


def _rest(screen: BinaryIO) -> bytes:
    """The output until the other side closes, which Linux reports as an error."""
    rest = b""
    with suppress(OSError):
        while chunk := screen.read(1024):
            rest += chunk
    return rest
