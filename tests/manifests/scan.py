"""`make scan`: scan the rendered manifests for insecure configuration, with checkov.

checkov has its own environment, `.venv/scanner`, created from `requirements/scanner.txt`, because
its pins conflict with everything else. Exceptions are in `deploy/kubernetes/checkov.yaml` and in
annotations.
"""

import subprocess
import tempfile
from pathlib import Path

import yaml

from testkit.environments import environment_of
from testkit.manifests import KUBERNETES, VARIANTS, Manifests
from tooling.program import run_program
from tooling.project import ROOT


def main() -> int:
    """Install the scanner if necessary, render and scan every variant; return the exit status."""
    programs = environment_of("scanner")
    with tempfile.TemporaryDirectory(prefix="mythoughts-scan-") as folder:
        return _scan(programs, Path(folder))


def _scan(programs: Path, folder: Path) -> int:
    rendered = folder / "rendered"
    rendered.mkdir()
    manifests = Manifests(folder)
    for variant in VARIANTS:
        (rendered / f"{variant}.yaml").write_text(yaml.safe_dump_all(manifests.render(variant)))
    options = ("--config-file", ROOT / KUBERNETES / "checkov.yaml", "--directory", rendered)
    # By its interpreter: its own first line names one, which does not work in a path with a space.
    command = (programs / "python", programs / "checkov", *options)
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    run_program(main)
