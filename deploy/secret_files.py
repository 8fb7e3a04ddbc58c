"""The files that an overlay's Secrets and ConfigMaps are generated from.

    thoughts-database-url, users-database-url    one line, `postgresql://user:password@host:5432/name`
    thoughts-database-password, ...              password of the role that owns the database
    thoughts-database-superuser-password, ...    password of that server's `postgres`
    private-keys.json, public-keys.json          the JWK sets with the token keys
    admin-password                               password of the user `admin`

They are in the overlay's folder `secrets` and are never committed. The overlay `local` has them
all; `production` has the keys, and the addresses of databases created elsewhere.
"""

import os
import secrets
import subprocess
import sys
from pathlib import Path

from deploy.failures import DeployError

DATABASES = ("thoughts", "users")
PRIVATE_KEYS, PUBLIC_KEYS = "private-keys.json", "public-keys.json"

# Each pair is created together: one is useless without the other.
_PAIRS = (
    (PRIVATE_KEYS, PUBLIC_KEYS),
    *((f"{name}-database-url", f"{name}-database-password") for name in DATABASES),
)


def make_secret_files(folder: Path, *, with_databases: bool) -> list[str]:
    """Create the files that are missing in `folder`, and return their names.

    `with_databases` also creates the passwords of the databases and of the user `admin`.
    Raises DeployError if only one file of a pair exists.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    before = {path.name for path in folder.iterdir()}
    if with_databases:
        _check_pairs(folder, _PAIRS)
        for name in DATABASES:
            _make_database(folder, name)
        _make(folder / "admin-password", new_password())
    else:
        _check_pairs(folder, _PAIRS[:1])
    if not (folder / PRIVATE_KEYS).exists():
        rotate_keys(folder)
    return sorted({path.name for path in folder.iterdir()} - before)


def rotate_keys(folder: Path, *arguments: str) -> None:
    """Run the Users Backend's `rotate-keys` on the two key files in `folder`."""
    settings = {
        "TOKEN_PRIVATE_KEYS_PATH": str(folder / PRIVATE_KEYS),
        "TOKEN_PUBLIC_KEYS_PATH": str(folder / PUBLIC_KEYS),
    }
    done = subprocess.run(
        [sys.executable, "-m", "users_backend", "rotate-keys", *arguments],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DeployError(f"The keys in {folder} were not created:\n{done.stderr.strip()}")


def new_password() -> str:
    """A random password that needs no quoting in a URL."""
    return secrets.token_urlsafe(24)


def _check_pairs(folder: Path, pairs: tuple[tuple[str, str], ...]) -> None:
    for pair in pairs:
        there = [name for name in pair if (folder / name).exists()]
        if len(there) == 1:
            missing = next(name for name in pair if name not in there)
            raise DeployError(
                f"{folder / there[0]} exists, but {missing}, which belongs to it, does not. "
                f"Put {missing} back, or delete {there[0]} to create both again."
            )


def _make_database(folder: Path, name: str) -> None:
    password = new_password()
    url = f"postgresql://{name}:{password}@{name}-database:5432/{name}"
    _make(folder / f"{name}-database-password", password)
    _make(folder / f"{name}-database-url", url)
    _make(folder / f"{name}-database-superuser-password", new_password())


def _make(path: Path, text: str) -> None:
    """Atomically write a file that only its owner may read, unless it exists already."""
    if path.exists():
        return
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
    unfinished.replace(path)
