"""Access to the users in the database for tests."""

from functools import cache

from testkit.sql import SqlConnection
from users_backend.passwords import PasswordHasher

PASSWORD = "correct horse battery"


class Sql(SqlConnection):
    """A connection to the database of the Users Backend."""

    def add_user(
        self,
        username: str,
        *,
        is_admin: bool = False,
        password_hash: str = "",
        must_change_password: bool = False,
    ) -> int:
        """Store a user, by default with `PASSWORD`; return the id."""
        user_id: int = self.value(
            "INSERT INTO users (username, password_hash, is_admin, must_change_password) "
            "VALUES ($1, $2, $3, $4) RETURNING id",
            username,
            password_hash or hash_of(PASSWORD),
            is_admin,
            must_change_password,
        )
        return user_id

    def add_session(self, user_id: int) -> int:
        """Store a session that has just begun; return the id."""
        session_id: int = self.value(
            "INSERT INTO sessions (user_id, expires_at, token_id, token_expires_at, user_agent) "
            "VALUES ($1, now() + interval '30 days', 'test', now() + interval '1 hour', 'tests') "
            "RETURNING id",
            user_id,
        )
        return session_id

    def audited(self) -> list[tuple[str, str, str]]:
        """Event, actor and subject of each entry of the audit log, in their order."""
        rows = self.run("SELECT event, actor, subject FROM audit ORDER BY id")
        return [tuple(row) for row in rows]

    def hash_of_user(self, username: str) -> str | None:
        """The stored hash of a user."""
        stored: str | None = self.value(
            "SELECT password_hash FROM users WHERE username = $1", username
        )
        return stored


@cache
def hash_of(password: str) -> str:
    """A hash as created by the service."""
    return PasswordHasher().hash_now(password)
