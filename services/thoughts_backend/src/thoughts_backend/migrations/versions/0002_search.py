"""One index for searches with terms of any length, in any script."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Replace the index of words' trigrams with one of all grams."""
    # The grams of the text "abcd" are "abc", "bcd", "cd" and "d": three characters from each
    # position on, fewer at the end. Grams that begin with an East Asian character or an emoji
    # (from U+2E80 on) have two: there are enough of these characters for pairs to be distinctive.
    # The text is cut into threes from the first, second and third position, separated by U+001F,
    # which searches treat as a space.
    # PL/pgSQL caches the plans of its expressions for the whole session; an SQL function would be
    # planned again for each shared thought.
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
    # The index terms of a thought: its grams, its blocks of ids and its author, so that a search
    # can look at the newest blocks first, or only at one author's thoughts.
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
    # A query to the index.
    op.execute("""
        CREATE FUNCTION term_query(term text) RETURNS tsquery
        LANGUAGE sql IMMUTABLE PARALLEL SAFE
        RETURN array_to_tsvector(ARRAY[term])::text::tsquery
    """)
    op.execute("DROP INDEX thoughts_search")
    # New entries wait in a list, which searches also read, until it reaches 2 MiB (about 1,700
    # thoughts): adding them together costs less than one by one. A larger list saves nothing more.
    op.execute("""
        CREATE INDEX thoughts_search
            ON thoughts USING gin (thought_terms(id, user_id, username, folded_text))
            WITH (gin_pending_list_limit = 2048)
    """)
