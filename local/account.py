"""The operating system account that a program runs as when it is started by root."""

import os
import pwd
import subprocess
from pathlib import Path
from typing import Any, NamedTuple


class Account(NamedTuple):
    """The ids of an operating system account."""

    uid: int
    gid: int

    def may_use(self, path: Path) -> bool:
        """Whether it can enter a folder or run a program: tried out, as parents and ACLs count."""
        return subprocess.run(["test", "-x", path], check=False, **run_as(self)).returncode == 0


def unprivileged_account() -> Account | None:
    """The account `nobody` if this process is root; otherwise None, as no other is needed."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)


def run_as(account: Account | None) -> dict[str, Any]:
    """The arguments of `subprocess.run` for the account; None is that of this process."""
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}
