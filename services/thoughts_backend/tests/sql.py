"""The thoughts in the database, seen from tests."""

from datetime import UTC, datetime

from chassis.tests.sql import SqlConnection


class Sql(SqlConnection):
    """One connection to the database of the Thoughts Backend."""

    def add_thoughts(self, *texts: str, username: str = "bruce", user_id: int = 1) -> list[int]:
        """Store thoughts, in this order, and return their ids."""
        rows = self.run(
            "INSERT INTO thoughts (user_id, username, text, created_at) "
            "SELECT $1, $2, text, $4 FROM unnest($3::text[]) WITH ORDINALITY AS t (text, place) "
            "ORDER BY place RETURNING id",
            user_id,
            username,
            list(texts),
            datetime(1962, 5, 11, 9, 53, 41, tzinfo=UTC),
        )
        return [row[0] for row in rows]
