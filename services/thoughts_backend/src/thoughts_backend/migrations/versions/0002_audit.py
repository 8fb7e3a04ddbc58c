"""The audit log, limits of sharing, stored answers by their thought, and how frequent grams are."""

from alembic import op

from mythoughts_chassis.audit import CREATE_TABLE as CREATE_AUDIT

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables, the index and the function."""
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
    # How many thoughts each user has shared in a minute and in a day that began with a thought.
    # Unlogged: after a crash of PostgreSQL everybody starts from 0. The free half of each page
    # keeps the updated rows in it, so that no index changes.
    op.execute("""
        CREATE UNLOGGED TABLE share_counts (
            user_id bigint PRIMARY KEY,
            minute_began_at timestamptz NOT NULL,
            minute_count integer NOT NULL,
            day_began_at timestamptz NOT NULL,
            day_count integer NOT NULL
        ) WITH (fillfactor = 50)
    """)
    op.execute("CREATE INDEX share_counts_day_began_at ON share_counts (day_began_at)")
    op.execute("CREATE INDEX idempotency_keys_thought_id ON idempotency_keys (thought_id)")
