"""Users, when their names count as the same, and when they look alike."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    # Names are the same if they differ only in case, in the form of their characters (NFC, NFD,
    # full width, ...) or in the invisible characters that a name may contain: joiners and
    # variation selectors for text or emoji. Folding can undo normalization, hence the second
    # one.
    op.execute(r"""
        CREATE FUNCTION folded_name(name text) RETURNS text IMMUTABLE STRICT PARALLEL SAFE
        RETURN normalize(
            casefold(
                normalize(translate(name, U&'\200C\200D\FE0E\FE0F', ''), NFKC)
                COLLATE pg_unicode_fast
            ),
            NFKC
        )
    """)
    # The row of a deleted user stays, without a password, so that the name is never reused.
    op.execute("""
        CREATE TABLE users (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            username text NOT NULL
                CHECK (char_length(username) BETWEEN 1 AND 50 AND username IS NFC NORMALIZED),
            password_hash text,
            is_admin boolean NOT NULL DEFAULT false,
            created_at timestamptz NOT NULL DEFAULT now(),
            deleted_at timestamptz,
            CHECK ((deleted_at IS NULL) = (password_hash IS NOT NULL))
        )
    """)
    op.execute("CREATE UNIQUE INDEX users_name ON users (folded_name(username))")
    op.execute("CREATE INDEX users_present ON users (id) WHERE deleted_at IS NULL")
    # Skeletons of names, to detect names that look alike (UTS #39).
    op.execute("""
        CREATE TABLE name_skeletons (
            skeleton text PRIMARY KEY,
            user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE
        )
    """)
