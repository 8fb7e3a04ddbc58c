"""Thoughts, and the answers to requests with an Idempotency-Key."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    # The text is searched in a folded form that is the same on every installation: full case
    # folding (ß becomes ss) by PostgreSQL's built-in provider, then normalization (NFC), which
    # folding can undo. With the collation "C" LIKE compares bytes.
    op.execute("""
        CREATE TABLE thoughts (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            user_id bigint NOT NULL CHECK (user_id > 0),
            username text NOT NULL CHECK (char_length(username) BETWEEN 1 AND 50),
            text text NOT NULL
                CHECK (char_length(text) BETWEEN 1 AND 250 AND text ~ '[^[:space:]]'),
            created_at timestamptz NOT NULL DEFAULT now(),
            folded_text text COLLATE "C" NOT NULL
                GENERATED ALWAYS AS (normalize(casefold(text COLLATE pg_unicode_fast))) STORED
        )
    """)
    op.execute("CREATE INDEX thoughts_user_id ON thoughts (user_id, id)")
    op.execute("""
        CREATE INDEX thoughts_username
            ON thoughts ((normalize(casefold(username COLLATE pg_unicode_fast))), id)
    """)
    op.execute("CREATE INDEX thoughts_search ON thoughts USING gin (folded_text gin_trgm_ops)")
    op.execute("""
        CREATE TABLE idempotency_keys (
            user_id bigint NOT NULL,
            key text NOT NULL CHECK (char_length(key) BETWEEN 1 AND 255),
            answered_at timestamptz NOT NULL DEFAULT now(),
            thought_id bigint NOT NULL,
            username text NOT NULL,
            text text NOT NULL,
            created_at timestamptz NOT NULL,
            PRIMARY KEY (user_id, key)
        )
    """)
    op.execute("CREATE INDEX idempotency_keys_answered_at ON idempotency_keys (answered_at)")
