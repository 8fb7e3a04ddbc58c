"""The SQL of sessions, and of what concerns a session and its user together.

Functions that take a connection are parts of a transaction. Everything that ends all sessions of a
user locks the user's row first, and a login reads that row under a lock. So if a login began before
the password was changed, either the change sees its session and ends it, or the login sees the
change and fails.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from mythoughts_chassis.database import Connection, Database
from mythoughts_chassis.pagination import PageQuery
from mythoughts_chassis.tokens import CLOCK_SKEW_SECONDS
from users_backend.schemas import Session, User

# For the housekeeping: sessions whose last token has expired by every clock. A verifier's clock may
# be slow, and it accepts a token for a little longer. Only a valid token can be renewed, so these
# sessions are over.
_LONG_AGO = f"now() - interval '{2 * CLOCK_SKEW_SECONDS} seconds'"
DELETE_OLD_SESSIONS = f"""
    DELETE FROM sessions WHERE id IN (
        SELECT id FROM sessions
        WHERE token_expires_at < {_LONG_AGO}
        LIMIT 1000 FOR UPDATE SKIP LOCKED
    )
"""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long sessions and tokens are valid."""

    session: timedelta
    token: timedelta
    admin_token: timedelta


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token states: a session, its user as they are now, and when the token is valid."""

    session_id: int
    user_id: int
    username: str
    is_admin: bool
    issued_at: datetime
    expires_at: datetime


_IS_LIVE = "ended_at IS NULL AND expires_at > now()"
# A token is valid a little longer than it says.
_CAN_BE_USED = f"{_IS_LIVE} AND token_expires_at + interval '{CLOCK_SKEW_SECONDS} seconds' > now()"
_USER_MAY_LOG_IN = "deleted_at IS NULL AND disabled_at IS NULL"


async def insert_session(
    connection: Connection,
    *,
    user_id: int,
    password_hash: str,
    user_agent: str,
    token_id: str,
    lifetimes: Lifetimes,
) -> Grant | None:
    """Start a session; return None if the user no longer has this hash or may not log in."""
    row = await connection.fetchrow(
        f"""
        WITH present AS (
            SELECT id, username, is_admin,
                now() + CASE WHEN is_admin THEN $6::interval ELSE $5::interval END AS token_ends_at
            FROM users WHERE id = $1 AND password_hash = $2 AND {_USER_MAY_LOG_IN}
            FOR SHARE
        ), new AS (
            INSERT INTO sessions (user_id, user_agent, token_id, expires_at, token_expires_at)
            SELECT id, $3, $4, now() + $7::interval, least(token_ends_at, now() + $7::interval)
            FROM present
            RETURNING id, token_expires_at
        )
        SELECT new.id, present.id, username, is_admin, now(), token_expires_at FROM new, present
        """,
        user_id,
        password_hash,
        user_agent,
        token_id,
        lifetimes.token,
        lifetimes.admin_token,
        lifetimes.session,
    )
    return None if row is None else Grant(*row)


async def renew_token(
    database: Database, *, session_id: int, token_id: str, lifetimes: Lifetimes
) -> Grant | None:
    """Note the newest token of a session; return None if the session is over.

    `token_expires_at` only grows: an earlier token may be valid for longer.
    """
    end = "least(expires_at, now() + CASE WHEN is_admin THEN $4::interval ELSE $3::interval END)"
    row = await database.fetchrow(
        f"""
        UPDATE sessions
        SET token_id = $2, token_expires_at = greatest(token_expires_at, {end})
        FROM users
        WHERE sessions.id = $1 AND users.id = user_id AND {_IS_LIVE} AND {_USER_MAY_LOG_IN}
        RETURNING sessions.id, user_id, username, is_admin, now(), {end}
        """,
        session_id,
        token_id,
        lifetimes.token,
        lifetimes.admin_token,
        repeatable=True,
    )
    return None if row is None else Grant(*row)


async def find_current_user(database: Database, *, session_id: int, user_id: int) -> User | None:
    """Return the user of a session, or None if either is gone, or the session is another's."""
    row = await database.fetchrow(
        f"""
        SELECT id, username, created_at, is_admin, disabled_at IS NOT NULL
        FROM users WHERE id = $2 AND {_USER_MAY_LOG_IN}
        AND EXISTS (SELECT FROM sessions WHERE sessions.id = $1 AND user_id = $2 AND {_IS_LIVE})
        """,
        session_id,
        user_id,
        repeatable=True,
    )
    return None if row is None else User(*row)


async def fetch_sessions(
    database: Database, query: PageQuery, *, user_id: int, current_id: int
) -> list[Session]:
    """Return the sessions of a page of a user's, and one more if there is one."""
    rows = await database.fetch(
        f"""
        SELECT id, created_at, expires_at, user_agent, id = $2 FROM sessions
        WHERE user_id = $1 AND id > $3 AND id < $4 AND {_CAN_BE_USED}
        ORDER BY id {query.order} LIMIT $5
        """,
        user_id,
        current_id,
        query.above,
        query.below,
        query.limit + 1,
        repeatable=True,
    )
    return [Session(*row) for row in rows]


async def end_session(connection: Connection, session_id: int, user_id: int) -> bool:
    """End one of a user's sessions; return False if it is not theirs or is over."""
    status = await connection.execute(
        f"UPDATE sessions SET ended_at = now() WHERE id = $1 AND user_id = $2 AND {_CAN_BE_USED}",
        session_id,
        user_id,
    )
    return status == "UPDATE 1"


async def fetch_ended_sessions(database: Database) -> tuple[float, list[int]]:
    """Return the time (epoch seconds), and the sessions that ended and may still have tokens."""
    ((now, ended),) = await database.fetch(
        f"""
        SELECT extract(epoch FROM now())::float8, coalesce(array_agg(id), '{{}}') FROM sessions
        WHERE ended_at IS NOT NULL AND token_expires_at >= {_LONG_AGO}
        """,
        repeatable=True,
    )
    return now, ended


async def end_sessions(
    connection: Connection, user_id: int, *, except_id: int | None = None
) -> bool:
    """End a user's sessions, perhaps all but one; return whether there was one to end.

    The transaction has locked the user's row.
    """
    status = await connection.execute(
        "UPDATE sessions SET ended_at = now() "
        "WHERE user_id = $1 AND ended_at IS NULL AND id IS DISTINCT FROM $2",
        user_id,
        except_id,
    )
    return status != "UPDATE 0"
