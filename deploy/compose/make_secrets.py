"""Creates missing passwords, and makes each volume readable for the account that needs it.

It also copies files of the source tree, and makes them readable for every account.

It runs in the container `secrets` of Docker Compose, needs only the standard library, and can be
repeated. Afterwards `python -m users_backend rotate-keys` creates the keys of the tokens.
"""

import os
import secrets
import sys
from pathlib import Path

FOLDER = Path("/secrets")
FILES, COPIES = Path("/files"), Path("/copies")
# The accounts that services and PostgreSQL run as, in their images.
SERVICE, POSTGRES = 10_001, 999


def main() -> None:
    """Create what is missing; if a file cannot be read or written, end with one line about it."""
    try:
        make_files()
    except OSError as error:
        sys.exit(f"secrets: {error}")


def make_files() -> None:
    """Create what is missing; existing files stay unchanged."""
    for name in ("thoughts", "users"):
        make_database_secrets(name)
    admin_password = FOLDER / "admin-password" / "password"
    if not admin_password.exists():
        write(admin_password, new_password(), SERVICE)
    for folder in ("token-private-keys", "token-public-keys"):
        os.chown(FOLDER / folder, SERVICE, SERVICE)
    for file in FILES.glob("*/[!.]*"):
        text = file.read_text().removesuffix("\n")
        write(COPIES / file.relative_to(FILES), text, account=0, mode=0o444)


def make_database_secrets(name: str) -> None:
    """Create the passwords of a database server, and the addresses of its owner and its service.

    An address is written last: if it exists, so does the password that it contains.
    """
    server = FOLDER / f"{name}-database-server"
    owner_url = FOLDER / f"{name}-database-owner" / "url"
    service_url = FOLDER / f"{name}-database" / "url"
    if not owner_url.exists():
        write(server / "superuser-password", new_password(), POSTGRES)
        make_role_secrets(server / "password", owner_url, name, role=name)
    if not service_url.exists():
        make_role_secrets(server / "service-password", service_url, name, role=f"{name}_service")


def make_role_secrets(file: Path, url: Path, name: str, *, role: str) -> None:
    """Create the password of a role, and the address that contains it."""
    password = new_password()
    write(file, password, POSTGRES)
    write(url, f"postgresql://{role}:{password}@{name}-database:5432/{name}", SERVICE)


def new_password() -> str:
    """Return a random password that needs no quoting in a URL."""
    return secrets.token_urlsafe(24)


def write(path: Path, text: str, account: int, mode: int = 0o400) -> None:
    """Write a file that belongs to `account`, by default readable only by it.

    The file is written atomically.
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
