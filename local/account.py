"""The operating system account that a program runs as when it is started by root."""

import os
import pwd
import subprocess
from pathlib import Path
from typing import NamedTuple


class Account(NamedTuple):
    """The ids of an operating system account."""

    uid: int
    gid: int

    def may_use(self, path: Path) -> bool:
        """Whether it can enter a folder or run a program; tested, as parents and ACLs matter."""
        attempt = subprocess.run(
            ["test", "-x", str(path)],
            check=False,
            user=self.uid,
            group=self.gid,
            extra_groups=[],
        )
        return attempt.returncode == 0


def unprivileged_account() -> Account | None:
    """The account `nobody` if this process is root; otherwise None: no other account is needed."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)
