"""Loads demonstration users, for trying out the system; never used in production.

[{"id": 1, "username": "bruce"}, …]

Each user's password is their name.
"""

import asyncpg
import msgspec
import structlog

from mythoughts_chassis.settings import Secret
from users_backend import queries
from users_backend.passwords import PasswordHasher

_log = structlog.get_logger()


class DemoUser(msgspec.Struct, frozen=True):
    """A user in the file."""

    id: int
    username: str


async def load_demo(database_url: Secret, content: bytes) -> None:
    """Store the users in `content`, unless the table already has users.

    Raises `msgspec.DecodeError` if the content is invalid.
    """
    users = msgspec.json.decode(content, type=list[DemoUser])
    connection = await asyncpg.connect(database_url.reveal())
    try:
        # Hashing takes longer than the rest, and each pod that starts runs this.
        is_empty = not await queries.has_users(connection)
        loaded = is_empty and await queries.fill_empty_table(connection, _with_passwords(users))
    finally:
        await connection.close()
    _log.info("demonstration users", loaded=len(users) if loaded else 0)


def _with_passwords(users: list[DemoUser]) -> list[tuple[int, str, str]]:
    passwords = PasswordHasher()
    return [(user.id, user.username, passwords.hash_now(user.username)) for user in users]
