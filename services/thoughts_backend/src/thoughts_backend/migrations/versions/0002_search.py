"""One index that serves searches for terms of any length, in any script."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Replace the index of words' trigrams by one of all grams."""
    # Where a text has "abcd", its grams are "abc", "bcd", "cd" and "d": three characters from
    # each place on, fewer at the end. Grams that begin with an East Asian character or an emoji
    # (from U+2E80 on) have two: there are so many of these characters that pairs say enough.
    # The text is cut into threes at the first, second and third place, with U+001F between them,
    # which is a space to searches.
    # PL/pgSQL keeps the plans of its expressions for a whole session; as an SQL function it would
    # be planned again for each thought that is shared.
    op.execute(r"""
        CREATE FUNCTION text_grams(text text) RETURNS text[]
        LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
        DECLARE
            spaced text := replace(text, E'\x1f', ' ');
            cut text := E'\x1f' || regexp_replace(spaced, '...', E'\\&\x1f', 'g') ||
                E'\x1f' || regexp_replace(substr(spaced, 2), '...', E'\\&\x1f', 'g') ||
                E'\x1f' || regexp_replace(substr(spaced, 3), '...', E'\\&\x1f', 'g');
        BEGIN
            IF octet_length(cut) > char_length(cut) THEN
                cut := regexp_replace(
                    cut, E'(\x1f[\u2e80-\U0010ffff][^\x1f])[^\x1f]', '\1', 'g');
            END IF;
            RETURN array_remove(string_to_array(cut, E'\x1f'), '');
        END
        $$
    """)
    # What the index holds of a thought: its grams, and which blocks of ids and whose it is, so
    # that a search can look at newest blocks first, or at one author's thoughts.
    op.execute(r"""
        CREATE FUNCTION thought_terms(
            id bigint, user_id bigint, username text, folded_text text
        ) RETURNS tsvector
        LANGUAGE sql IMMUTABLE PARALLEL SAFE
        RETURN array_to_tsvector(text_grams(folded_text) || ARRAY[
            E'\x1f16:' || (id >> 16)::text,
            E'\x1f20:' || (id >> 20)::text,
            E'\x1f24:' || (id >> 24)::text,
            E'\x1fid:' || user_id::text,
            E'\x1fname:' || normalize(casefold(username COLLATE pg_unicode_fast))
        ])
    """)
    # What is asked of the index.
    op.execute("""
        CREATE FUNCTION term_query(term text) RETURNS tsquery
        LANGUAGE sql IMMUTABLE PARALLEL SAFE
        RETURN array_to_tsvector(ARRAY[term])::text::tsquery
    """)
    op.execute("DROP INDEX thoughts_search")
    # New entries wait in a list, which searches read, until there are 2 MiB of them (about 1,700
    # thoughts): together they cost less than one by one. Larger lists save nothing more.
    op.execute("""
        CREATE INDEX thoughts_search
            ON thoughts USING gin (thought_terms(id, user_id, username, folded_text))
            WITH (gin_pending_list_limit = 2048)
    """)
