"""All SQL of the Users Backend but that of sessions; see `session_queries`.

`repeatable` says whether a statement may run twice. Functions that take a connection are parts of
a transaction.

A deleted user has a row without a password hash; only `insert_user` considers such rows. Names
are the same if `folded_name`, a function in the schema, returns the same value; names look alike
if they share a row of `name_skeletons`.
"""

from dataclasses import dataclass

import asyncpg

from mythoughts_chassis.database import Connection, Database
from users_backend.names import skeletons
from users_backend.schemas import User

_COLUMNS = "id, username, created_at"


class NameTaken(Exception):
    """The name is taken, possibly by a deleted user."""


class LookAlike(NameTaken):
    """The name looks like one that is taken, possibly by a deleted user."""


@dataclass(frozen=True, slots=True)
class Account:
    """The data that a login is checked against."""

    user_id: int
    username: str
    is_admin: bool
    password_hash: str
    must_change_password: bool


_ACCOUNT = "id, username, is_admin, password_hash, must_change_password"
_MAY_LOG_IN = "deleted_at IS NULL AND disabled_at IS NULL"


async def find_account(database: Database, username: str) -> Account | None:
    """Return the account with this name, or None, also if it is disabled.

    Extra spaces are ignored unless another name has exactly these: in earlier releases names could
    differ in spaces only.
    """
    row = await database.fetchrow(
        f"SELECT {_ACCOUNT} FROM users "
        "WHERE folded_name(username) IN (folded_name($1), folded_name($2)) "
        f"AND {_MAY_LOG_IN} "
        "ORDER BY folded_name(username) = folded_name($1) DESC LIMIT 1",
        username,
        " ".join(username.split()),
        repeatable=True,
    )
    return None if row is None else Account(*row)


async def find_account_by_id(database: Database, user_id: int) -> Account | None:
    """Return the account with this id, or None, also if it is disabled."""
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


async def fetch_users(
    database: Database, *, above: int, below: int, ascending: bool, limit: int
) -> list[User]:
    """Return the users with ids between two bounds, in ascending or descending order."""
    rows = await database.fetch(
        f"SELECT {_COLUMNS} FROM users WHERE id > $1 AND id < $2 AND deleted_at IS NULL "
        f"ORDER BY id {'ASC' if ascending else 'DESC'} LIMIT $3",
        above,
        below,
        limit,
        repeatable=True,
    )
    return [User(*row) for row in rows]


async def insert_user(
    database: Database, username: str, password_hash: str, *, is_admin: bool
) -> User:
    """Store a user and return it; raises `NameTaken`."""
    sql = f"""
        WITH new AS (
            INSERT INTO users (username, password_hash, is_admin) VALUES ($1, $2, $3)
            RETURNING {_COLUMNS}
        ), looks AS (
            INSERT INTO name_skeletons (skeleton, user_id) SELECT unnest($4::text[]), id FROM new
        )
        SELECT {_COLUMNS} FROM new
    """
    try:
        (row,) = await database.fetch(
            sql, username, password_hash, is_admin, skeletons(username), repeatable=False
        )
    except asyncpg.UniqueViolationError as error:
        raise (NameTaken if error.constraint_name == "users_name" else LookAlike) from error
    return User(*row)


async def replace_password_hash(
    connection: Connection, user_id: int, old_hash: str, new_hash: str
) -> bool:
    """Replace the old hash with the new one; return False if the old one has already changed.

    The new password is one that the user has chosen.
    """
    status = await connection.execute(
        "UPDATE users SET password_hash = $3, must_change_password = false "
        "WHERE id = $1 AND password_hash = $2",
        user_id,
        old_hash,
        new_hash,
    )
    return status == "UPDATE 1"


async def delete_user(connection: Connection, user_id: int) -> str | None:
    """Delete a user and return the name, which stays reserved; None if there is no such user."""
    name: str | None = await connection.fetchval(
        "UPDATE users SET deleted_at = now(), password_hash = NULL "
        "WHERE id = $1 AND deleted_at IS NULL RETURNING username",
        user_id,
    )
    return name


async def fill_empty_table(connection: Connection, rows: list[tuple[int, str, str]]) -> bool:
    """Store (id, username, password_hash) rows; return False if the table is not empty."""
    async with connection.transaction():
        await connection.execute("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE")
        if await connection.fetchval("SELECT EXISTS (SELECT FROM users)"):
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
