"""The system that the search benchmark measures, and how its caches are emptied."""

import asyncio
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.client import Ask, request_bytes, send
from local.folder import Folder
from local.stack import SHARING_UNLIMITED, Stack, temporary_stack
from mythoughts_chassis.keys import read_key_set
from users_backend.signing import sign_token

_DAY_SECONDS = 86_400
_DROP_CACHES = Path("/proc/sys/vm/drop_caches")


@contextmanager
def search_stack(kept: Path | None, size: int) -> Iterator[Stack]:
    """Run the whole system with a PostgreSQL configured for `size` thoughts, without fsync.

    Its data are in the folder `kept`, where a later run finds them, or in a temporary folder.
    """
    settings = postgres_settings(size)
    if kept is None:
        with temporary_stack(SHARING_UNLIMITED, postgres_settings=settings) as stack:
            yield stack
        return
    folder = Folder(kept)
    with (
        folder.held(),
        Stack(
            folder, settings=SHARING_UNLIMITED, durable=False, postgres_settings=settings
        ) as stack,
    ):
        yield stack


def postgres_settings(size: int) -> dict[str, str]:
    """Return PostgreSQL's settings for `size` thoughts; never less than its defaults."""
    return {
        "shared_buffers": f"{min(4096, max(128, size // 2500))}MB",
        "maintenance_work_mem": f"{min(1024, max(64, size // 5000))}MB",
        "max_wal_size": f"{min(16, max(1, size // 500_000))}GB",
    }


def authorization_of(stack: Stack, user_id: int, username: str) -> dict[str, str]:
    """Return the Authorization header of a user, whom the Users Backend need not know."""
    now = int(time.time())
    claims = {
        "iss": "mythoughts",
        "aud": "mythoughts",
        "sub": str(user_id),
        "username": username,
        "iat": now,
        "exp": now + _DAY_SECONDS,
        "jti": uuid.uuid4().hex,
        "sid": "1",
    }
    key = read_key_set(stack.folder.private_keys)[0]
    return {"Authorization": f"Bearer {sign_token(claims, key)}"}


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
