"""`make scan`: look for what is insecure in the rendered manifests, with checkov.

It has an environment of its own, `.venv/scanner`, made from `requirements/scanner.txt`: its pins
fit nothing else. What is excused stands in `deploy/kubernetes/checkov.yaml` and in annotations.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from local.console import complain, step
from local.environment import VENV, InstallationError, run_installer
from tests.manifests.kubectl import NoKubectl
from tests.manifests.rendering import KUBERNETES, ROOT, VARIANTS, Manifests

LOCK = ROOT / "requirements" / "scanner.txt"
ENVIRONMENT = VENV / "scanner"
PYTHON = ENVIRONMENT / "bin" / "python"
INSTALLED = ENVIRONMENT / "installed.txt"


def main() -> int:
    """Install the scanner if need be, render every variant, scan; the exit status."""
    try:
        _ensure_installed()
        with tempfile.TemporaryDirectory(prefix="mythoughts-scan-") as folder:
            return _scan(Path(folder))
    except (InstallationError, NoKubectl) as error:
        complain(str(error))
        return 1


def _ensure_installed() -> None:
    """Make the environment, unless it holds what the lock says."""
    if INSTALLED.exists() and INSTALLED.read_bytes() == LOCK.read_bytes():
        return
    with step("Installing the scanner"):
        run_installer([sys.executable, "-m", "venv", "--clear", ENVIRONMENT])
        run_installer([PYTHON, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", LOCK])
    shutil.copy(LOCK, INSTALLED)


def _scan(folder: Path) -> int:
    rendered = folder / "rendered"
    rendered.mkdir()
    manifests = Manifests(folder)
    for variant in VARIANTS:
        (rendered / f"{variant}.yaml").write_text(yaml.safe_dump_all(manifests.render(variant)))
    options = ("--config-file", ROOT / KUBERNETES / "checkov.yaml", "--directory", rendered)
    return subprocess.run([ENVIRONMENT / "bin" / "checkov", *options], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
