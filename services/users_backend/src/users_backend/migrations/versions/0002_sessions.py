"""Sessions, disabled users, the audit log, and what failed logins are counted in."""

from alembic import op

from mythoughts_chassis.audit import CREATE_TABLE as CREATE_AUDIT

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables."""
    op.execute("""
        ALTER TABLE users
            ADD COLUMN disabled_at timestamptz,
            ADD COLUMN must_change_password boolean NOT NULL DEFAULT false,
            -- For searches by a part of the name: folding 100,000 names takes 2 s.
            ADD COLUMN folded_username text GENERATED ALWAYS AS (folded_name(username)) STORED
    """)
    op.execute("CREATE INDEX users_admins ON users (id) WHERE is_admin AND deleted_at IS NULL")
    # One row for each login. Its tokens have its id; `token_id` is the `jti` of the newest one, and
    # `token_expires_at` is when the last of them ends, after which none can be renewed.
    op.execute("""
        CREATE TABLE sessions (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            user_id bigint NOT NULL REFERENCES users,
            created_at timestamptz NOT NULL DEFAULT now(),
            expires_at timestamptz NOT NULL,
            token_id text NOT NULL,
            token_expires_at timestamptz NOT NULL,
            user_agent text NOT NULL,
            ended_at timestamptz
        )
    """)
    op.execute("CREATE INDEX sessions_of_user ON sessions (user_id, id) WHERE ended_at IS NULL")
    op.execute(
        "CREATE INDEX sessions_ended ON sessions (token_expires_at, id) WHERE ended_at IS NOT NULL"
    )
    op.execute("CREATE INDEX sessions_token_expires_at ON sessions (token_expires_at)")
    op.execute(CREATE_AUDIT)
    # Failed guesses of passwords, and registrations, counted by keyed hashes (`guesses.py`). One is
    # forgotten from time to time; `forgotten_at` is when all are. A crash forgets them too.
    op.execute("""
        CREATE UNLOGGED TABLE guesses (
            key bytea PRIMARY KEY,
            forgotten_at timestamptz NOT NULL,
            waits_until timestamptz NOT NULL
        )
    """)
    op.execute("CREATE INDEX guesses_forgotten_at ON guesses (forgotten_at)")
    # Browsers that users have logged in from, known by the SHA-256 of a token.
    op.execute("""
        CREATE TABLE browsers (
            token_hash bytea PRIMARY KEY,
            user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
            used_at timestamptz NOT NULL DEFAULT now()
        )
    """)
    op.execute("CREATE INDEX browsers_of_user ON browsers (user_id, used_at)")
    op.execute("CREATE INDEX browsers_used_at ON browsers (used_at)")
