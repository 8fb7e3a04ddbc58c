"""Access to the users in the database for tests."""

from functools import cache

from testkit.sql import SqlConnection
from users_backend.passwords import PasswordHasher

PASSWORD = "correct horse battery"


class Sql(SqlConnection):
    """A connection to the database of the Users Backend."""

    def add_user(self, username: str, *, is_admin: bool = False, password_hash: str = "") -> int:
        """Store a user, with `PASSWORD` unless told otherwise; return the id."""
        user_id: int = self.value(
            "INSERT INTO users (username, password_hash, is_admin) VALUES ($1, $2, $3) "
            "RETURNING id",
            username,
            password_hash or hash_of(PASSWORD),
            is_admin,
        )
        return user_id

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
