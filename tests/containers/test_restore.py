"""The script that restores a backup in a cluster, in its image."""

import pytest

from testkit.docker import run_docker
from tooling.project import ROOT

SCRIPTS = ROOT / "deploy" / "kubernetes" / "components" / "backup"


@pytest.mark.parametrize(
    ("chosen", "message"),
    [("", "There is no backup yet."), ("2026-11-26T03-17-00Z", "no backup 2026-11-26T03-17-00Z.")],
)
def test_missing_backup_is_named(chosen: str, message: str) -> None:
    """Before the first backup, or with a wrong name, the last line says that there is none."""
    mounts = ("--tmpfs=/backups", f"--volume={SCRIPTS}:/scripts:ro")
    command = ("postgres:18-trixie", "bash", "/scripts/restore.sh")

    done = run_docker("run", "--rm", "--network=none", f"--env=BACKUP={chosen}", *mounts, *command)

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(message)
