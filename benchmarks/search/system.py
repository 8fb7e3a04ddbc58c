"""The system that the search benchmark measures, and how its caches are emptied."""

import asyncio
import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.client import Ask, request_bytes, send
from local.folder import Folder
from local.postgres import remove_data
from local.stack import SHARING_UNLIMITED, Stack
from mythoughts_chassis.keys import WatchedKeySet
from mythoughts_chassis.settings import ApiSettings, describe_settings
from users_backend.session_queries import Grant
from users_backend.signing import TokenSigner

_DAY = timedelta(days=1)
_DROP_CACHES = Path("/proc/sys/vm/drop_caches")


@contextmanager
def search_stack(kept: Path | None, size: int) -> Iterator[Stack]:
    """Run the whole system with a PostgreSQL configured for `size` thoughts, without fsync.

    Its data are in the folder `kept`, where a later run finds them, or in a temporary folder.
    """
    with tempfile.TemporaryDirectory(prefix="mythoughts-bench-") as name:
        # If root runs this, PostgreSQL's own account must be able to enter the folder.
        Path(name).chmod(0o711)
        folder = Folder(kept or Path(name, ".local"))
        settings = postgres_settings(size)
        try:
            with (
                folder.held(),
                Stack(
                    folder,
                    settings=SHARING_UNLIMITED,
                    durable=False,
                    postgres_settings=settings,
                ) as stack,
            ):
                yield stack
        finally:
            if kept is None:
                remove_data(folder.postgres)


def postgres_settings(size: int) -> dict[str, str]:
    """Return PostgreSQL's settings for `size` thoughts; never less than its defaults."""
    return {
        "shared_buffers": f"{min(4096, max(128, size // 2500))}MB",
        "maintenance_work_mem": f"{min(1024, max(64, size // 5000))}MB",
        "max_wal_size": f"{min(16, max(1, size // 500_000))}GB",
    }


def authorization_of(stack: Stack, user_id: int, username: str) -> dict[str, str]:
    """Return the Authorization header of a user, whom the Users Backend need not know."""
    claims = {name: default for name, _, default in describe_settings(ApiSettings)}
    signer = TokenSigner(
        WatchedKeySet(stack.folder.private_keys),
        issuer=str(claims["TOKEN_ISSUER"]),
        audience=str(claims["TOKEN_AUDIENCE"]),
    )
    now = datetime.now(UTC)
    grant = Grant(
        session_id=1,
        user_id=user_id,
        username=username,
        is_admin=False,
        issued_at=now,
        expires_at=now + _DAY,
    )
    return {"Authorization": f"Bearer {signer.sign(grant, uuid.uuid4().hex)}"}


def make_cold(stack: Stack, *, empties_os_cache: bool) -> bool:
    """Restart PostgreSQL and empty the system's file cache; return whether the latter was done.

    Afterwards the service has connections again, so that no search pays for opening them.
    """
    stack.postgres.stop()
    dropped = False
    with suppress(OSError):
        if empties_os_cache:
            os.sync()
            _DROP_CACHES.write_text("3")
            dropped = True
    stack.postgres.start()
    request = request_bytes("GET", "/api/thoughts/1/")
    asyncio.run(send(stack.urls["thoughts"], [Ask("", request)]))
    return dropped
