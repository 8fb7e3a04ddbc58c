"""Makes the passwords that are missing, and gives each volume to the account that reads it.

It also copies files of the source tree, which only their owner may be able to read, for everybody.

It runs in the container `secrets` of Docker Compose, with the standard library alone, and may run
again and again. The keys of the tokens are made after it, by `python -m users_backend rotate-keys`.
"""

import os
import secrets
from pathlib import Path

FOLDER = Path("/secrets")
FILES, COPIES = Path("/files"), Path("/copies")
# The accounts that services and PostgreSQL run as, in their images.
SERVICE, POSTGRES = 10_001, 999


def main() -> None:
    """Make what is missing; what is there stays as it is."""
    for name in ("thoughts", "users"):
        make_database_secrets(name)
    admin_password = FOLDER / "admin-password" / "password"
    if not admin_password.exists():
        write(admin_password, new_password(), SERVICE)
    for folder in ("token-private-keys", "token-public-keys"):
        os.chown(FOLDER / folder, SERVICE, SERVICE)
    for file in FILES.glob("*/*"):
        text = file.read_text().removesuffix("\n")
        write(COPIES / file.relative_to(FILES), text, account=0, mode=0o444)


def make_database_secrets(name: str) -> None:
    """Make the passwords of a database server, and the address that its service connects to.

    The address is written last: where it is, the password that it holds is, too.
    """
    address = FOLDER / f"{name}-database" / "url"
    if address.exists():
        return
    server = FOLDER / f"{name}-database-server"
    password = new_password()
    write(server / "superuser-password", new_password(), POSTGRES)
    write(server / "password", password, POSTGRES)
    write(address, f"postgresql://{name}:{password}@{name}-database:5432/{name}", SERVICE)


def new_password() -> str:
    """Return a random password that needs no quoting in a URL."""
    return secrets.token_urlsafe(24)


def write(path: Path, text: str, account: int, mode: int = 0o400) -> None:
    """Write a file that belongs to `account`, which alone may read it if no other mode is given.

    It appears complete or not at all.
    """
    unfinished = path.with_name(f".{path.name}")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
        os.fchown(descriptor, account, account)
    unfinished.replace(path)


if __name__ == "__main__":
    main()
