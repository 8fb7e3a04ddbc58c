"""The audit log."""

from alembic import op

from mythoughts_chassis.audit import CREATE_TABLE as CREATE_AUDIT

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the table."""
    op.execute(CREATE_AUDIT)
