"""Programs that stand in for kubectl, docker, make and the cluster tools.

Each records what it was called with, and prints what the test has chosen. They are real programs,
found on PATH by the verbs under test, which run in a copy of the tree.
"""

import json
import shlex
import shutil
import subprocess
import sys
from ast import literal_eval
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tooling.project import ROOT

# It imports nothing, because a test may start it dozens of times.
PROGRAM = """import sys
folder = __file__.rpartition("/")[0]
words = sys.argv[1:]
with open(folder + "/calls", "a") as calls:
    calls.write(repr((words, sys.stdin.read())) + "\\n")
plain = words[:1] + words[3:] if words[1:2] == ["--context"] else words
line = " ".join(plain)
with open(folder + "/answers") as file:
    answers = eval(file.read())
fitting = [start for start in answers if line.startswith(start)]
output, status, error = answers[max(fitting, key=len)] if fitting else ("", 0, "")
sys.stdout.write(output)
sys.stderr.write(error)
sys.exit(status)
"""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a program: its name and arguments, and what it read from standard input."""

    words: list[str]
    text: str

    @property
    def line(self) -> str:
        """Name and arguments as typed on a command line."""
        return " ".join(self.words)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a verb ended."""

    status: int
    output: str
    errors: str


class Workplace:
    """A copy of the files the verbs need, stand-ins for all other programs, and their calls."""

    def __init__(self, folder: Path) -> None:
        self.tree = folder / "tree"
        self._folder = folder
        self._answers: dict[str, tuple[str, int, str]] = {}
        shutil.copytree(
            ROOT / "deploy", self.tree / "deploy", ignore=shutil.ignore_patterns("secrets")
        )
        shutil.copytree(ROOT / "tooling", self.tree / "tooling")
        for description in ROOT.glob("services/*/pyproject.toml"):
            copy = self.tree / description.relative_to(ROOT)
            copy.parent.mkdir(parents=True)
            shutil.copy(description, copy)
        (folder / "bin").mkdir()
        (folder / "program.py").write_text(PROGRAM)
        self._write_answers()

    @property
    def secrets(self) -> Path:
        """The secret files of the overlay `local`."""
        return self.tree / "deploy" / "kubernetes" / "overlays" / "local" / "secrets"

    def install(self, *programs: str) -> None:
        """Put programs of these names on PATH, where nothing else is."""
        for name in programs:
            path = self._folder / "bin" / name
            # The first line of a script cannot name a program in just any folder; a shell can.
            words = (sys.executable, "-ISs", str(self._folder / "program.py"), name)
            path.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
            path.chmod(0o755)

    def answer(self, start: str, output: object = "", *, status: int = 0, error: str = "") -> None:
        """Make a command line with this beginning, without kubectl's context, print `output`.

        What is not text is printed as JSON. The longest start that fits counts.
        """
        text = output if isinstance(output, str) else json.dumps(output)
        self._answers[start] = (text, status, error)
        self._write_answers()

    def run(self, verb: str, **settings: str) -> Outcome:
        """Run `python -m deploy VERB` without a terminal."""
        done = subprocess.run(
            [sys.executable, "-m", "deploy", verb],
            cwd=self.tree,
            env=self.environment(settings),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    def environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        """The environment of a verb: only the stand-ins on PATH, and the settings."""
        return {"PATH": str(self._folder / "bin"), "HOME": str(self._folder), **settings}

    def calls(self, start: str = "") -> list[Call]:
        """The calls so far, in order, whose command line starts like this."""
        file = self._folder / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        calls = [Call(*literal_eval(line)) for line in lines]
        return [call for call in calls if call.line.startswith(start)]

    def _write_answers(self) -> None:
        unfinished = self._folder / "answers.unfinished"
        unfinished.write_text(repr(self._answers))
        unfinished.replace(self._folder / "answers")


def workload(name: str, *, ready: bool = True, kind: str = "Deployment") -> dict[str, Any]:
    """A Deployment or StatefulSet of one pod, as the API server returns it."""
    count = 1 if ready else 0
    return {
        "kind": kind,
        "metadata": {"name": name, "namespace": "example", "generation": 2},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app.kubernetes.io/name": name}},
            "template": {
                "spec": {"containers": [{"name": name, "image": f"mythoughts/{name}:1.0.0"}]}
            },
        },
        "status": {
            "observedGeneration": 2,
            "replicas": 1,
            "updatedReplicas": 1,
            "availableReplicas": count,
            "readyReplicas": count,
            "updateRevision": "1",
            "currentRevision": "1",
        },
    }


def items(*objects: Mapping[str, object]) -> dict[str, Sequence[Mapping[str, object]]]:
    """A list of objects, as kubectl prints it."""
    return {"items": objects}
