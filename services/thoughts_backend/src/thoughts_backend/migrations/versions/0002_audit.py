"""The audit log."""

from alembic import op

from mythoughts_chassis.audit import CREATE_TABLE as CREATE_AUDIT

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the table."""
    op.execute(CREATE_AUDIT)
    # PostgreSQL shows statistics of an index only to the owner, who is not the service's role.
    op.execute("""
        CREATE FUNCTION search_frequencies(OUT terms text[], OUT frequencies real[])
        LANGUAGE sql STABLE SECURITY DEFINER
        BEGIN ATOMIC
            SELECT most_common_elems::text::text[], most_common_elem_freqs FROM pg_stats
            WHERE schemaname = current_schema
            AND tablename = 'thoughts_search' AND attname = 'thought_terms';
        END
    """)
