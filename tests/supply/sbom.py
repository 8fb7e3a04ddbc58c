"""`make sbom`: write a bill of materials (CycloneDX) of each service, `.sbom/NAME.cdx.json`.

It lists the packages of the service's lock file, with their versions and licences, as they are
when they are installed. cyclonedx-py has an environment of its own, `.venv/auditor`.
"""

import tempfile
from pathlib import Path

from testkit.environments import environment_of
from tooling.commands import run
from tooling.console import say, step
from tooling.environment import PYTHON, UV
from tooling.program import run_program
from tooling.project import ROOT, SERVICES, Service

FOLDER = ROOT / ".sbom"


def main() -> None:
    """Write the files. Raises Failure."""
    programs = environment_of("auditor")
    FOLDER.mkdir(exist_ok=True)
    for service in SERVICES:
        target = FOLDER / f"{service.workload}.cdx.json"
        with step(f"Writing {target.relative_to(ROOT)}"):
            write(service, programs, target)
    say("These files list what is in the images, without Python and Debian.")


def write(service: Service, programs: Path, target: Path) -> None:
    """Install the packages of a service in a temporary environment, and describe it."""
    with tempfile.TemporaryDirectory(prefix="mythoughts-sbom-") as folder:
        python = Path(folder, "venv", "bin", "python")
        run(UV, "venv", "--quiet", "--python", PYTHON, python.parents[1])
        lock = service.folder / "requirements.txt"
        # Without what the lock leaves out on purpose, as in the image.
        install = (UV, "pip", "install", "--quiet", "--python", python, "--no-deps")
        run(*install, "--require-hashes", "-r", lock)
        run(
            *(programs / "python", "-m", "cyclonedx_py", "environment", python),
            *("--pyproject", service.folder / "pyproject.toml", "--mc-type", "application"),
            *("--output-reproducible", "--output-file", target),
        )


if __name__ == "__main__":
    run_program(main)
