"""The operating system account that a program runs as when the person who starts it is root."""

import os
import pwd
import subprocess
from pathlib import Path
from typing import NamedTuple


class Account(NamedTuple):
    """The numbers of an operating system account."""

    uid: int
    gid: int

    def may_use(self, path: Path) -> bool:
        """Whether it can enter a folder, or run a program; tried, as parents and ACLs count."""
        attempt = subprocess.run(
            ["test", "-x", str(path)],
            check=False,
            user=self.uid,
            group=self.gid,
            extra_groups=[],
        )
        return attempt.returncode == 0


def unprivileged_account() -> Account | None:
    """The account `nobody` when this process is root; None, no other account is needed, else."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)
