"""The files that an overlay's Secrets and ConfigMaps are generated from.

    thoughts-database-url, users-database-url    for the service: one line,
                                                 `postgresql://role:password@host:5432/name`
    thoughts-database-owner-url, ...             the same, for the role that owns the database
    database-ca.crt                              certificate of the authority of the databases
    thoughts-database-password, ...              password of the role that owns the database
    thoughts-database-service-password, ...      password of the service's role
    thoughts-database-superuser-password, ...    password of that server's `postgres`
    private-keys.json, public-keys.json          the JWK sets with the token keys
    admin-password                               password of the user `admin`
    secrets.yaml                                 in `local`: the Secrets with these contents

They are in the overlay's folder `secrets` and are never committed. The overlay `local` has them
all but the certificate; `production` has the keys, and the addresses and the authority of databases
created elsewhere.
"""

import json
import os
import secrets
from base64 import b64encode
from pathlib import Path

from tooling.commands import run
from tooling.failures import Failure
from tooling.private_files import write_private
from tooling.project import USERS

DATABASES = ("thoughts", "users")
DATABASE_AUTHORITY = "database-ca.crt"
PRIVATE_KEYS, PUBLIC_KEYS = "private-keys.json", "public-keys.json"
OBJECTS = "secrets.yaml"

# Each pair is created together: one is useless without the other.
_PAIRS = (
    (PRIVATE_KEYS, PUBLIC_KEYS),
    *((f"{name}-database-owner-url", f"{name}-database-password") for name in DATABASES),
    *((f"{name}-database-url", f"{name}-database-service-password") for name in DATABASES),
)
# The Secrets of the overlay `local`, their keys, and the files with the values.
_SECRETS = {
    "admin-password": {"password": "admin-password"},
    "token-private-keys": {PRIVATE_KEYS: PRIVATE_KEYS},
    **{f"{name}-database": {"url": f"{name}-database-url"} for name in DATABASES},
    **{f"{name}-database-owner": {"url": f"{name}-database-owner-url"} for name in DATABASES},
    **{
        f"{name}-database-server": {
            role: f"{name}-database-{role}"
            for role in ("password", "service-password", "superuser-password")
        }
        for name in DATABASES
    },
}


def make_secret_files(folder: Path, *, with_databases: bool) -> list[str]:
    """Create the files that are missing in `folder`, and return their names.

    `with_databases` also creates the passwords of the databases and of the user `admin`.
    Raises Failure if only one file of a pair exists.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    before = {path.name for path in folder.iterdir()}
    _check_pairs(folder, _PAIRS if with_databases else _PAIRS[:1])
    for name, text in (_new_passwords() if with_databases else {}).items():
        if name not in before:
            write_private(folder / name, text)
    if PRIVATE_KEYS not in before:
        rotate_keys(folder)
    if with_databases:
        _write_objects(folder)
    return sorted({path.name for path in folder.iterdir()} - before)


def rotate_keys(folder: Path, *arguments: str) -> None:
    """Run the Users Backend's `rotate-keys` on the two key files in `folder`; raises Failure."""
    settings = {
        "TOKEN_PRIVATE_KEYS_PATH": str(folder / PRIVATE_KEYS),
        "TOKEN_PUBLIC_KEYS_PATH": str(folder / PUBLIC_KEYS),
    }
    run(*USERS.command("rotate-keys", *arguments), environment={**os.environ, **settings})
    if (folder / OBJECTS).exists():
        _write_objects(folder)


def _write_objects(folder: Path) -> None:
    """Write the Secrets from the other files.

    kustomize's generator would break long values into lines. The API server joins them, and kubectl
    would report such a Secret as configured whenever it is applied, even if nothing has changed.
    """
    texts = (_secret(folder, name, keys) for name, keys in _SECRETS.items())
    write_private(folder / OBJECTS, "\n---\n".join(texts))


def _secret(folder: Path, name: str, keys: dict[str, str]) -> str:
    """A Secret as JSON, which is YAML; `keys` maps its keys to the names of files."""
    labels = {"app.kubernetes.io/component": "token-keys"} if PRIVATE_KEYS in keys else {}
    values = {key: (folder / file).read_bytes() for key, file in keys.items()}
    described = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "labels": labels},
        "data": {key: b64encode(value).decode() for key, value in values.items()},
    }
    return json.dumps(described)


def _check_pairs(folder: Path, pairs: tuple[tuple[str, str], ...]) -> None:
    for pair in pairs:
        there = [name for name in pair if (folder / name).exists()]
        if len(there) == 1:
            missing = next(name for name in pair if name not in there)
            raise Failure(
                f"{folder / there[0]} exists, but {missing}, which belongs to it, does not. "
                f"Put {missing} back, or delete {there[0]} to create both again."
            )


def _new_passwords() -> dict[str, str]:
    """The contents of all files except the keys, by name."""
    texts = {"admin-password": secrets.token_urlsafe(24)}
    for name in DATABASES:
        # Passwords that need no quoting in a URL.
        owner, service, superuser = (secrets.token_urlsafe(24) for _ in range(3))
        place = f"{name}-database:5432/{name}"
        texts |= {
            f"{name}-database-owner-url": f"postgresql://{name}:{owner}@{place}",
            f"{name}-database-password": owner,
            f"{name}-database-url": f"postgresql://{name}_service:{service}@{place}",
            f"{name}-database-service-password": service,
            f"{name}-database-superuser-password": superuser,
        }
    return texts
