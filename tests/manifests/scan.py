"""`make scan`: look for what is insecure in the rendered manifests, with checkov.

It has an environment of its own, `.venv/scanner`, made from `requirements/scanner.txt`: its pins
fit nothing else. What is excused stands in `deploy/kubernetes/checkov.yaml` and in annotations.
"""

import subprocess
import tempfile
from pathlib import Path

import yaml

from local.console import complain
from local.environment import InstallationError
from local.stopping import run_program
from tests.environments import environment_of
from tests.manifests.kubectl import NoKubectl
from tests.manifests.rendering import KUBERNETES, ROOT, VARIANTS, Manifests


def main() -> int:
    """Install the scanner if need be, render every variant, scan; the exit status."""
    try:
        checkov = environment_of("scanner") / "checkov"
        with tempfile.TemporaryDirectory(prefix="mythoughts-scan-") as folder:
            return _scan(checkov, Path(folder))
    except (InstallationError, NoKubectl) as error:
        complain(str(error))
        return 1


def _scan(checkov: Path, folder: Path) -> int:
    rendered = folder / "rendered"
    rendered.mkdir()
    manifests = Manifests(folder)
    for variant in VARIANTS:
        (rendered / f"{variant}.yaml").write_text(yaml.safe_dump_all(manifests.render(variant)))
    options = ("--config-file", ROOT / KUBERNETES / "checkov.yaml", "--directory", rendered)
    return subprocess.run([checkov, *options], check=False).returncode


if __name__ == "__main__":
    run_program(main)
