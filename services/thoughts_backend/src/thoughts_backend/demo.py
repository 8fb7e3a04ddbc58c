"""Loads demonstration thoughts, for trying out the system; never used in production.

[{"user_id": 1, "username": "bruce", "hours_ago": 2.5, "text": "Be water."}, …]
"""

from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec
import structlog

from mythoughts_chassis.settings import Secret
from thoughts_backend import queries

_log = structlog.get_logger()


class DemoThought(msgspec.Struct, frozen=True):
    """A thought in the file."""

    user_id: int
    username: str
    hours_ago: float
    text: str


async def load_demo(database_url: Secret, content: bytes) -> None:
    """Store the thoughts in `content`, oldest first, unless the table has ever had thoughts.

    Raises `msgspec.DecodeError` if the content is invalid.
    """
    thoughts = msgspec.json.decode(content, type=list[DemoThought])
    thoughts.sort(key=lambda thought: thought.hours_ago, reverse=True)
    now = datetime.now(UTC)
    rows = [
        (
            number,
            thought.user_id,
            thought.username,
            thought.text,
            now - timedelta(hours=thought.hours_ago),
        )
        for number, thought in enumerate(thoughts, 1)
    ]
    connection = await asyncpg.connect(database_url.reveal())
    try:
        loaded = await queries.fill_new_table(connection, rows)
    finally:
        await connection.close()
    _log.info("demonstration thoughts", loaded=len(rows) if loaded else 0)
