"""All SQL of the Users Backend, except that of sessions (`session_queries`).

`repeatable` says whether a statement may run twice. Functions that take a connection are parts of
a transaction.

A deleted user has a row without a password hash; only `insert_user` considers such rows. Names
are the same if `folded_name`, a function in the schema, returns the same value; names look alike
if they share a row of `name_skeletons`.
"""

from dataclasses import dataclass
from datetime import timedelta

import asyncpg

from mythoughts_chassis.database import Connection, Database
from users_backend.names import skeletons
from users_backend.schemas import User, UsersQuery

_COLUMNS = "id, username, created_at, is_admin, disabled_at IS NOT NULL"


class NameTaken(Exception):
    """The name is taken, possibly by a deleted user."""


class LookAlike(NameTaken):
    """The name looks like one that is taken, possibly by a deleted user."""


@dataclass(frozen=True, slots=True)
class Account:
    """The data that a login is checked against."""

    user_id: int
    username: str
    password_hash: str
    must_change_password: bool
    password_age_seconds: float

    def has_expired(self, temporary_password_seconds: int) -> bool:
        """Whether the password is temporary and too old for a login; 0 means no limit."""
        return self.must_change_password and (
            0 < temporary_password_seconds < self.password_age_seconds
        )


_ACCOUNT = (
    "id, username, password_hash, must_change_password, "
    "extract(epoch FROM now() - password_set_at)::float8"
)
_MAY_LOG_IN = "deleted_at IS NULL AND disabled_at IS NULL"


async def find_account(database: Database, username: str) -> Account | None:
    """Return the account with this name, or None if there is none that may log in."""
    row = await _find_named(database, username, f"SELECT {_ACCOUNT} FROM users WHERE {_MAY_LOG_IN}")
    return None if row is None else Account(*row)


async def find_user_named(database: Database, username: str) -> User | None:
    """Return the user with this name, or None."""
    sql = f"SELECT {_COLUMNS} FROM users WHERE deleted_at IS NULL"
    row = await _find_named(database, username, sql)
    return None if row is None else User(*row)


async def _find_named(database: Database, username: str, sql: str) -> asyncpg.Record | None:
    """Return the row with this name among those of a statement.

    Extra spaces are ignored unless another name has exactly these: in earlier releases names could
    differ in spaces only.
    """
    return await database.fetchrow(
        f"{sql} AND folded_name(username) IN (folded_name($1), folded_name($2)) "
        "ORDER BY folded_name(username) = folded_name($1) DESC LIMIT 1",
        username,
        " ".join(username.split()),
        repeatable=True,
    )


async def find_account_by_id(database: Database, user_id: int) -> Account | None:
    """Return the account with this id, or None if there is none that may log in."""
    row = await database.fetchrow(
        f"SELECT {_ACCOUNT} FROM users WHERE id = $1 AND {_MAY_LOG_IN}",
        user_id,
        repeatable=True,
    )
    return None if row is None else Account(*row)


async def find_user(database: Database, user_id: int) -> User | None:
    """Return the user with this id, or None."""
    row = await database.fetchrow(
        f"SELECT {_COLUMNS} FROM users WHERE id = $1 AND deleted_at IS NULL",
        user_id,
        repeatable=True,
    )
    return None if row is None else User(*row)


async def fetch_users(database: Database, query: UsersQuery) -> list[User]:
    """Return the users of a page, and one more if there is one.

    Only those whose folded names contain the folded `search`.
    """
    rows = await database.fetch(
        f"SELECT {_COLUMNS} FROM users WHERE id > $1 AND id < $2 AND deleted_at IS NULL "
        "AND strpos(folded_username, folded_name($4)) > 0 "
        f"ORDER BY id {query.order} LIMIT $3",
        query.above,
        query.below,
        query.limit + 1,
        query.search,
        repeatable=True,
    )
    return [User(*row) for row in rows]


async def insert_user(
    connection: Connection,
    username: str,
    password_hash: str,
    *,
    is_admin: bool,
    must_change_password: bool,
) -> User:
    """Store a user and return it; raises `NameTaken`."""
    sql = f"""
        WITH new AS (
            INSERT INTO users (username, password_hash, is_admin, must_change_password)
            VALUES ($1, $2, $3, $4) RETURNING *
        ), looks AS (
            INSERT INTO name_skeletons (skeleton, user_id) SELECT unnest($5::text[]), id FROM new
        )
        SELECT {_COLUMNS} FROM new
    """
    try:
        (row,) = await connection.fetch(
            sql, username, password_hash, is_admin, must_change_password, skeletons(username)
        )
    except asyncpg.UniqueViolationError as error:
        raise (NameTaken if error.constraint_name == "users_name" else LookAlike) from error
    return User(*row)


async def lock_admins(connection: Connection) -> list[Account]:
    """Return the accounts of admins, locked against changes until the transaction ends."""
    rows = await connection.fetch(
        f"SELECT {_ACCOUNT} FROM users WHERE is_admin AND {_MAY_LOG_IN} "
        "ORDER BY id FOR NO KEY UPDATE"
    )
    return [Account(*row) for row in rows]


async def lock_user(connection: Connection, user_id: int) -> User | None:
    """Return the user, locked against changes until the transaction ends, or None."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM users WHERE id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE",
        user_id,
    )
    return None if row is None else User(*row)


async def update_user(
    connection: Connection,
    user_id: int,
    *,
    is_admin: bool,
    is_disabled: bool,
    password_hash: str | None,
) -> None:
    """Change a user; a new password hash is that of a temporary password."""
    await connection.execute(
        """
        UPDATE users SET
            is_admin = $2,
            disabled_at = CASE WHEN $3 THEN coalesce(disabled_at, now()) END,
            password_hash = coalesce($4, password_hash),
            password_set_at = CASE WHEN $4 IS NULL THEN password_set_at ELSE now() END,
            must_change_password = must_change_password OR $4 IS NOT NULL
        WHERE id = $1
        """,
        user_id,
        is_admin,
        is_disabled,
        password_hash,
    )


async def replace_password_hash(
    connection: Connection, user_id: int, old_hash: str, new_hash: str
) -> bool:
    """Replace the old hash with the new one; return False if the old one has already changed.

    Likewise if the user may no longer log in. The new password is one that the user has chosen.
    """
    status = await connection.execute(
        "UPDATE users SET password_hash = $3, password_set_at = now(), "
        f"must_change_password = false WHERE id = $1 AND password_hash = $2 AND {_MAY_LOG_IN}",
        user_id,
        old_hash,
        new_hash,
    )
    return status == "UPDATE 1"


async def delete_user(connection: Connection, user_id: int) -> str | None:
    """Delete a user and return the name, which stays reserved; None if there is no such user."""
    name: str | None = await connection.fetchval(
        "WITH known AS (DELETE FROM browsers WHERE user_id = $1) "
        "UPDATE users SET deleted_at = now(), password_hash = NULL "
        "WHERE id = $1 AND deleted_at IS NULL RETURNING username",
        user_id,
    )
    return name


async def fold_name(database: Database, username: str) -> str:
    """Return the folded name, the same for all ways to type it, whether or not it exists."""
    (row,) = await database.fetch(
        "SELECT folded_name($1)", " ".join(username.split()), repeatable=True
    )
    return str(row[0])


async def find_guesses(database: Database, keys: list[bytes]) -> dict[bytes, tuple[float, float]]:
    """Return the counts that exist, by key: the seconds until each is forgotten, and those to wait.

    Both may be negative.
    """
    rows = await database.fetch(
        "SELECT key, extract(epoch FROM forgotten_at - now())::float8, "
        "extract(epoch FROM waits_until - now())::float8 "
        "FROM guesses WHERE key = ANY($1)",
        keys,
        repeatable=True,
    )
    return {key: (kept, wait) for key, kept, wait in rows}


async def add_wrong_guesses(connection: Connection, wrong: list[tuple[bytes, int, int]]) -> None:
    """Add a failure to each count: its key, the seconds until it is forgotten, those to wait."""
    keys, forget_seconds, wait_seconds = zip(*wrong, strict=True)
    await connection.execute(
        """
        INSERT INTO guesses AS old (key, forgotten_at, waits_until)
        SELECT key, now() + forget, now() + wait
        FROM unnest($1::bytea[], $2::interval[], $3::interval[]) AS wrong (key, forget, wait)
        -- Always in the same order, so that two of these never wait for each other.
        ORDER BY key
        ON CONFLICT (key) DO UPDATE SET
            forgotten_at = greatest(old.forgotten_at, now()) + (excluded.forgotten_at - now()),
            waits_until = greatest(old.waits_until, excluded.waits_until)
        """,
        keys,
        [timedelta(seconds=seconds) for seconds in forget_seconds],
        [timedelta(seconds=seconds) for seconds in wait_seconds],
    )


async def forget_guesses(database: Database, key: bytes) -> None:
    """Delete one count."""
    await database.execute("DELETE FROM guesses WHERE key = $1", key, repeatable=True)


async def find_browsers_user(database: Database, token_hash: bytes) -> int | None:
    """Return the id of the user who has logged in from this browser, or None."""
    row = await database.fetchrow(
        "SELECT user_id FROM browsers WHERE token_hash = $1", token_hash, repeatable=True
    )
    return None if row is None else int(row[0])


async def keep_browser(
    database: Database, token_hash: bytes, user_id: int, *, at_most: int
) -> None:
    """Store a browser as just used, and keep only the user's last ones."""
    await database.execute(
        """
        WITH surplus AS (
            DELETE FROM browsers WHERE token_hash IN (
                SELECT token_hash FROM browsers WHERE user_id = $2 AND token_hash <> $1
                ORDER BY used_at DESC OFFSET $3 - 1
            )
        )
        INSERT INTO browsers (token_hash, user_id) VALUES ($1, $2)
        ON CONFLICT (token_hash) DO UPDATE SET used_at = now()
        """,
        token_hash,
        user_id,
        at_most,
        repeatable=True,
    )


DELETE_FORGOTTEN_GUESSES = """
    DELETE FROM guesses WHERE key IN (
        SELECT key FROM guesses WHERE forgotten_at < now() AND waits_until < now()
        LIMIT 1000 FOR UPDATE SKIP LOCKED
    )
"""
# As long as browsers keep a cookie (RFC 6265bis).
DELETE_OLD_BROWSERS = """
    DELETE FROM browsers WHERE token_hash IN (
        SELECT token_hash FROM browsers WHERE used_at < now() - interval '400 days'
        LIMIT 1000 FOR UPDATE SKIP LOCKED
    )
"""


async def has_users(connection: Connection) -> bool:
    """Return whether the table has any row."""
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM users)"))


async def fill_empty_table(connection: Connection, rows: list[tuple[int, str, str]]) -> bool:
    """Store (id, username, password_hash) rows; return False if the table is not empty."""
    async with connection.transaction():
        await connection.execute("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE")
        if await has_users(connection):
            return False
        await connection.executemany(
            "INSERT INTO users (id, username, password_hash) OVERRIDING SYSTEM VALUE "
            "VALUES ($1, $2, $3)",
            rows,
        )
        await connection.executemany(
            "INSERT INTO name_skeletons (skeleton, user_id) SELECT unnest($1::text[]), $2",
            [(skeletons(username), user_id) for user_id, username, _ in rows],
        )
        await connection.execute(
            "SELECT setval(pg_get_serial_sequence('users', 'id'), max(id)) FROM users"
        )
    return True
