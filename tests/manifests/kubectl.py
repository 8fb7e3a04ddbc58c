"""Finds the kubectl that renders the manifests, or fetches one if there is none.

`make test` runs this module before the tests. Nothing is installed: on Debian, the package of
Debian 13 is unpacked in `.venv/kubectl`, because older releases have none or one that is too old.
"""

import re
import shutil
import subprocess

from tooling.console import say
from tooling.environment import VENV
from tooling.failures import Failure
from tooling.program import run_program

# The first version whose kustomize supports everything the manifests use.
OLDEST = (1, 27)
SUITE = "trixie"
FOLDER = VENV / "kubectl"
OWN = FOLDER / "usr" / "bin" / "kubectl"
ADVICE = """\
Rendering the Kubernetes manifests needs kubectl 1.27 or newer, which was not found.
Install it from https://kubernetes.io/docs/tasks/tools/"""


def kubectl_path(search_path: str | None = None) -> str:
    """The path of kubectl: the one in PATH, or the fetched one. Raises Failure."""
    for candidate in (shutil.which("kubectl", path=search_path), str(OWN)):
        if candidate is not None and _is_new_enough(candidate):
            return candidate
    raise Failure(ADVICE)


def main() -> None:
    """Fetch kubectl if necessary. Raises Failure."""
    try:
        kubectl_path()
    except Failure:
        say("Fetching kubectl for the tests of the manifests.")
        _fetch()
        kubectl_path()


def _is_new_enough(program: str) -> bool:
    try:
        answer = subprocess.run(
            [program, "version", "--client"], capture_output=True, text=True, check=False
        )
    except OSError:
        return False
    version = re.search(r"v(\d+)\.(\d+)\.", answer.stdout)
    return version is not None and (int(version[1]), int(version[2])) >= OLDEST


def _fetch() -> None:
    """Unpack Debian's package, if this is Debian; needs no special rights."""
    mirror = _debian_mirror()
    if mirror is None:
        return
    for part in ("lists/partial", "cache/archives/partial"):
        (FOLDER / part).mkdir(parents=True, exist_ok=True)
    (FOLDER / "sources.list").write_text(f"deb {mirror} {SUITE} main\n")
    apt_get = [
        *("apt-get", "--quiet", "--quiet", "-o", f"Dir::State::Lists={FOLDER}/lists"),
        *("-o", f"Dir::Cache={FOLDER}/cache", "-o", f"Dir::Etc::SourceList={FOLDER}/sources.list"),
        *("-o", "Dir::Etc::SourceParts=-", "-o", "APT::Sandbox::User="),
    ]
    for command in ([*apt_get, "update"], [*apt_get, "download", f"kubectl/{SUITE}"]):
        subprocess.run(command, cwd=FOLDER, check=False, stdin=subprocess.DEVNULL)
    for package in FOLDER.glob("*.deb"):
        subprocess.run(["dpkg", "--extract", package, FOLDER], check=False)


def _debian_mirror() -> str | None:
    """The mirror of Debian packages that this machine uses; None if it is not Debian."""
    if shutil.which("apt-get") is None:
        return None
    question = ["apt-get", "indextargets", "--format", "$(REPO_URI)"]
    answer = subprocess.run(
        [*question, "Created-By: Packages", "Component: main", "Origin: Debian", "Label: Debian"],
        capture_output=True,
        text=True,
        check=False,
    )
    return next(iter(answer.stdout.split()), None)


if __name__ == "__main__":
    run_program(main)
