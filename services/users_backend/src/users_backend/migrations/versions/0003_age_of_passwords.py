"""When a password was set."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column; the age of existing passwords begins now."""
    op.execute("ALTER TABLE users ADD COLUMN password_set_at timestamptz NOT NULL DEFAULT now()")
