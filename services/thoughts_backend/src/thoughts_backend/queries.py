"""All SQL of the Thoughts Backend, except lists and searches (`list_queries`).

Functions that take the database run one statement on any connection; `repeatable` says whether it
may run twice. Those that take a connection may be parts of a transaction.
"""

from datetime import datetime
from typing import NamedTuple

from mythoughts_chassis.database import Connection, Database
from thoughts_backend.schemas import Thought

_COLUMNS = "id, username, text, created_at"
_KEY_LIFETIME = "interval '24 hours'"


class StoredAnswer(NamedTuple):
    """The stored answer for an Idempotency-Key, and whether its thought has been deleted.

    The text of a deleted thought is empty.
    """

    thought: Thought
    is_deleted: bool


class ShareCounts(NamedTuple):
    """How many thoughts a user has shared in the current minute and day, and when these end."""

    in_minute: int
    minute_seconds: float
    in_day: int
    day_seconds: float


class Shared(NamedTuple):
    """A thought that has been stored, and the counts, which are None without limits."""

    thought: Thought
    counts: ShareCounts | None


async def find_thought(database: Database, thought_id: int) -> Thought | None:
    """Return the thought with this id, or None."""
    row = await database.fetchrow(
        f"SELECT {_COLUMNS} FROM thoughts WHERE id = $1", thought_id, repeatable=True
    )
    return None if row is None else Thought(*row)


def _share_statement(*, with_key: bool, limited: bool) -> str:
    """Return the statement that stores a thought, its answer and its count.

    Its arguments are the user's id and name, the text, the key, and the limits per minute and day.
    It returns no row if a limit is reached.
    """
    per_minute, per_day = ("$5", "$6") if with_key else ("$4", "$5")
    counted = f"""
        counted AS (
            INSERT INTO share_counts VALUES ($1, now(), 1, now(), 1)
            ON CONFLICT (user_id) DO UPDATE SET {_counting("minute")}, {_counting("day")}
            WHERE {_below("minute", per_minute)} AND {_below("day", per_day)}
            RETURNING {_COUNTS}
        ),
    """
    answer = f"""
        , answer AS (
            INSERT INTO idempotency_keys (user_id, key, thought_id, username, text, created_at)
            SELECT $1, $4, {_COLUMNS} FROM thought
            ON CONFLICT (user_id, key) DO UPDATE SET
                answered_at = now(), thought_id = excluded.thought_id,
                username = excluded.username, text = excluded.text,
                created_at = excluded.created_at
        )
    """
    return f"""
        WITH {counted if limited else ""} thought AS (
            INSERT INTO thoughts (user_id, username, text)
            SELECT $1, $2, $3 {"FROM counted" if limited else ""}
            RETURNING {_COLUMNS}
        ) {answer if with_key else ""}
        SELECT * FROM thought {", counted" if limited else ""}
    """


def _counting(unit: str) -> str:
    began, count, is_open = f"{unit}_began_at", f"{unit}_count", _is_open(unit)
    return f"""
        {began} = CASE WHEN {is_open} THEN share_counts.{began} ELSE now() END,
        {count} = CASE WHEN {is_open} THEN share_counts.{count} ELSE 0 END + 1
    """


def _below(unit: str, limit: str) -> str:
    return f"(share_counts.{unit}_count < {limit}::integer OR NOT {_is_open(unit)})"


def _is_open(unit: str) -> str:
    return f"share_counts.{unit}_began_at > now() - interval '1 {unit}'"


def _seconds_left(unit: str) -> str:
    return f"extract(epoch FROM {unit}_began_at + interval '1 {unit}' - now())::float8"


_COUNTS = f"minute_count, {_seconds_left('minute')}, day_count, {_seconds_left('day')}"
# By whether there is a key, and whether there are limits.
_SHARE = {
    (with_key, limited): _share_statement(with_key=with_key, limited=limited)
    for with_key in (False, True)
    for limited in (False, True)
}


async def insert_thought(
    connection: Connection,
    user_id: int,
    username: str,
    text: str,
    *,
    key: str | None = None,
    limits: tuple[int, int] | None,
) -> Shared | None:
    """Store a thought and, with a key, the answer; None if a limit is reached.

    The limits are those of thoughts per minute and per day.
    """
    statement = _SHARE[key is not None, limits is not None]
    arguments = (user_id, username, text, *(() if key is None else (key,)), *(limits or ()))
    row = await connection.fetchrow(statement, *arguments)
    if row is None:
        return None
    return Shared(Thought(*row[:4]), ShareCounts(*row[4:]) if limits else None)


async def find_share_counts(database: Database, user_id: int) -> ShareCounts | None:
    """Return the counts of a user who has reached a limit; None if the row has been deleted."""
    row = await database.fetchrow(
        f"SELECT {_COUNTS} FROM share_counts WHERE user_id = $1", user_id, repeatable=True
    )
    return None if row is None else ShareCounts(*row)


async def try_lock_key(connection: Connection, user_id: int, key: str) -> bool:
    """Return whether this transaction holds the lock on this user's key."""
    return bool(
        await connection.fetchval(
            "SELECT pg_try_advisory_xact_lock(hashtextextended($2, $1))", user_id, key
        )
    )


async def find_answer(connection: Connection, user_id: int, key: str) -> StoredAnswer | None:
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
    return StoredAnswer(Thought(*thought), is_deleted)


async def delete_thought(
    connection: Connection, thought_id: int, user_id: int | None = None
) -> str | None:
    """Delete a thought, of this user if there is a `user_id`, and clear its stored answer.

    Returns the author's name, None if there is no such thought. The key of the answer stays, so
    that a repeated request does not store the thought again.
    """
    username: str | None = await connection.fetchval(
        """
        WITH cleared AS (
            UPDATE idempotency_keys SET username = '', text = ''
            WHERE thought_id = $1 AND ($2::bigint IS NULL OR user_id = $2)
        )
        DELETE FROM thoughts WHERE id = $1 AND ($2::bigint IS NULL OR user_id = $2)
        RETURNING username
        """,
        thought_id,
        user_id,
    )
    return username


async def delete_thoughts(
    connection: Connection, user_id: int, *, above: int, limit: int
) -> int | None:
    """Delete up to `limit` of a user's thoughts, those with the lowest ids above `above`.

    Their stored answers are cleared. Returns the highest deleted id, None if there was nothing to
    delete.
    """
    highest: int | None = await connection.fetchval(
        """
        WITH chosen AS MATERIALIZED (
            SELECT id FROM thoughts WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT $3
        ), deleted AS (
            DELETE FROM thoughts WHERE id = ANY (ARRAY(SELECT id FROM chosen)) RETURNING id
        ), cleared AS (
            -- After the thoughts, as in `delete_thought`: so neither waits for the other.
            UPDATE idempotency_keys SET username = '', text = ''
            WHERE user_id = $1 AND thought_id = ANY (ARRAY(SELECT id FROM deleted))
        )
        SELECT max(id) FROM chosen
        """,
        user_id,
        above,
        limit,
    )
    return highest


# For the housekeeping.
DELETE_OLD_ANSWERS = f"""
    DELETE FROM idempotency_keys WHERE (user_id, key) IN (
        SELECT user_id, key FROM idempotency_keys
        WHERE answered_at <= now() - {_KEY_LIFETIME}
        ORDER BY answered_at LIMIT 1000 FOR UPDATE SKIP LOCKED
    )
"""
DELETE_OLD_COUNTS = """
    DELETE FROM share_counts WHERE user_id IN (
        SELECT user_id FROM share_counts WHERE day_began_at <= now() - interval '1 day'
        ORDER BY day_began_at LIMIT 1000 FOR UPDATE SKIP LOCKED
    )
"""


async def fill_new_table(
    connection: Connection,
    rows: list[tuple[int, int, str, str, datetime]],
) -> bool:
    """Store (id, user_id, username, text, created_at) rows.

    Returns False if the table has ever had rows: deleted thoughts must not come back.
    """
    sequence = "pg_get_serial_sequence('thoughts', 'id')"
    async with connection.transaction():
        await connection.execute("LOCK TABLE thoughts IN SHARE ROW EXCLUSIVE MODE")
        if await connection.fetchval(f"SELECT pg_sequence_last_value({sequence}::regclass)"):
            return False
        # With explicit ids: a transaction that fails would not return those of the sequence.
        await connection.executemany(
            "INSERT INTO thoughts (id, user_id, username, text, created_at) "
            "OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, $5)",
            rows,
        )
        await connection.execute(f"SELECT setval({sequence}, max(id)) FROM thoughts")
    return True
