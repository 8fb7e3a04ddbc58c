"""Skeletons of names, to detect names that look alike (UTS #39)."""

from alembic import op
from sqlalchemy import text

from users_backend.names import skeletons

revision = "0002"
down_revision = "0001"

BATCH_ROWS = 10_000


def upgrade() -> None:
    """Create the table of skeletons and fill it from the existing names.

    If existing names look alike, the oldest gets the row: all of them stay, but no further name
    like them can be added.
    """
    op.execute("CREATE TABLE name_skeletons (skeleton text PRIMARY KEY, user_id bigint NOT NULL)")
    connection = op.get_bind()
    users = text("SELECT id, username FROM users WHERE id > :last ORDER BY id LIMIT :batch")
    fill = text(
        "INSERT INTO name_skeletons (skeleton, user_id) "
        "SELECT unnest(CAST(:skeletons AS text[])), unnest(CAST(:user_ids AS bigint[])) "
        "ON CONFLICT DO NOTHING"
    )
    last = 0
    while rows := connection.execute(users, {"last": last, "batch": BATCH_ROWS}).all():
        pairs = [(it, row.id) for row in rows for it in skeletons(row.username)]
        names, user_ids = zip(*pairs, strict=True)
        connection.execute(fill, {"skeletons": list(names), "user_ids": list(user_ids)})
        last = rows[-1].id
    # Only now, because it blocks writes to the users.
    op.execute(
        "ALTER TABLE name_skeletons ADD FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE"
    )
