"""All SQL of the Thoughts Backend, except lists and searches (`list_queries`).

Functions that take the database run one statement on any connection; `repeatable` says whether it
may run twice. Those that take a connection are parts of a transaction.
"""

from datetime import datetime
from typing import NamedTuple

import asyncpg

from mythoughts_chassis.database import Connection, Database
from thoughts_backend.schemas import Thought

_COLUMNS = "id, username, text, created_at"
_KEY_LIFETIME = "interval '24 hours'"


class Answer(NamedTuple):
    """The stored answer for an Idempotency-Key, and whether its thought has been deleted."""

    thought: Thought
    is_deleted: bool


async def find_thought(database: Database, thought_id: int) -> Thought | None:
    """Return the thought with this id, or None."""
    row = await database.fetchrow(
        f"SELECT {_COLUMNS} FROM thoughts WHERE id = $1", thought_id, repeatable=True
    )
    return None if row is None else Thought(*row)


async def insert_thought(database: Database, user_id: int, username: str, text: str) -> Thought:
    """Store a thought and return it."""
    row = await database.fetchrow(
        f"INSERT INTO thoughts (user_id, username, text) VALUES ($1, $2, $3) RETURNING {_COLUMNS}",
        user_id,
        username,
        text,
        repeatable=False,
    )
    return _only(row)


async def try_lock_key(connection: Connection, user_id: int, key: str) -> bool:
    """Return whether this transaction holds the lock on this user's key."""
    return bool(
        await connection.fetchval(
            "SELECT pg_try_advisory_xact_lock(hashtextextended($2, $1))", user_id, key
        )
    )


async def find_answer(connection: Connection, user_id: int, key: str) -> Answer | None:
    """Return the answer for this user's key in the last 24 hours, or None."""
    row = await connection.fetchrow(
        f"""
        SELECT thought_id, username, text, created_at,
            NOT EXISTS (SELECT FROM thoughts WHERE id = thought_id)
        FROM idempotency_keys
        WHERE user_id = $1 AND key = $2 AND answered_at > now() - {_KEY_LIFETIME}
        """,
        user_id,
        key,
    )
    if row is None:
        return None
    *thought, is_deleted = row
    return Answer(Thought(*thought), is_deleted)


async def insert_thought_with_key(
    connection: Connection, user_id: int, username: str, text: str, key: str
) -> Thought:
    """Store a thought and, under the key, the answer; return the thought.

    Each call also deletes a few answers older than 24 hours, more than it adds.
    """
    row = await connection.fetchrow(
        f"""
        WITH expired AS (
            DELETE FROM idempotency_keys WHERE (user_id, key) IN (
                SELECT user_id, key FROM idempotency_keys
                WHERE answered_at <= now() - {_KEY_LIFETIME} AND (user_id, key) <> ($1, $4)
                ORDER BY answered_at LIMIT 3 FOR UPDATE SKIP LOCKED
            )
        ), thought AS (
            INSERT INTO thoughts (user_id, username, text) VALUES ($1, $2, $3)
            RETURNING {_COLUMNS}
        ), answer AS (
            INSERT INTO idempotency_keys (user_id, key, thought_id, username, text, created_at)
            SELECT $1, $4, {_COLUMNS} FROM thought
            ON CONFLICT (user_id, key) DO UPDATE SET
                answered_at = now(), thought_id = excluded.thought_id,
                username = excluded.username, text = excluded.text,
                created_at = excluded.created_at
        )
        SELECT {_COLUMNS} FROM thought
        """,
        user_id,
        username,
        text,
        key,
    )
    return _only(row)


async def delete_thought_of(database: Database, thought_id: int, user_id: int) -> bool:
    """Delete a thought of this user; return whether there was one."""
    status = await database.execute(
        "DELETE FROM thoughts WHERE id = $1 AND user_id = $2", thought_id, user_id, repeatable=True
    )
    return status == "DELETE 1"


async def delete_thought(database: Database, thought_id: int) -> None:
    """Delete a thought if it exists."""
    await database.execute("DELETE FROM thoughts WHERE id = $1", thought_id, repeatable=True)


def _only(row: asyncpg.Record | None) -> Thought:
    if row is None:
        raise LookupError("INSERT ... RETURNING returned no row")
    return Thought(*row)


async def fill_empty_table(
    connection: Connection,
    rows: list[tuple[int, str, str, datetime]],
) -> bool:
    """Store (user_id, username, text, created_at) rows; return False if the table is not empty."""
    async with connection.transaction():
        await connection.execute("LOCK TABLE thoughts IN SHARE ROW EXCLUSIVE MODE")
        if await connection.fetchval("SELECT EXISTS (SELECT FROM thoughts)"):
            return False
        await connection.executemany(
            "INSERT INTO thoughts (user_id, username, text, created_at) VALUES ($1, $2, $3, $4)",
            rows,
        )
    return True
