"""Thoughts, their search index, and the answers to requests with an Idempotency-Key."""

from alembic import op

revision = "0001"
down_revision = None

# Characters that do not change when folded alone, except quotes and dashes. Missing ones only
# cost time.
_PLAIN = (
    r"\u0001-\u009f\u00c0-\u0131\u0386-\u038f\u0391-\u03af\u03b1-\u03ce\u0400-\u052f"
    r"\u05d0-\u05ea\u0621-\u0674\u0904-\u0939"
    r"\u0e01-\u0e32\u1ea0-\u1ef9\u2012-\u2016\u2018-\u201f\u2600-\u27bf\u3001-\u3029\u3400-\ua48c"
    r"\uac00-\ud7a3\U0001f300-\U0001faff"
)
_KANA = r"\u3041-\u309a\u30a1-\u30fe"
# Unicode 16's Default_Ignorable_Code_Point: invisible characters, and code points reserved as such.
_IGNORABLE = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3"
    r"\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)


def upgrade() -> None:
    """Create the functions, tables and indexes."""
    _create_fold_text()
    _create_index_functions()
    _create_thoughts()
    _create_idempotency_keys()


def _create_fold_text() -> None:
    # Texts are searched in a folded form that is the same on every installation: full case folding
    # (ß becomes ss) by PostgreSQL's built-in provider, then normalization (NFC), which folding can
    # undo, then Unicode's NFKC_Casefold of each character alone. Applied to a whole text, the last
    # would compose characters with their neighbours, and a part of the text would no longer be
    # found in it. Characters that may change are therefore enclosed in U+001F, which composes with
    # nothing; a U+001F in a text becomes a space. Voiced kana are two characters in half width, so
    # they become two in full width too. U+0307 remains from a Turkish İ.
    op.execute(rf"""
        CREATE FUNCTION fold_text(text text) RETURNS text
        LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
        DECLARE
            folded text := replace(text, E'\x1f', ' ');
        BEGIN
            IF octet_length(folded) = char_length(folded) THEN
                RETURN lower(folded COLLATE "C");
            END IF;
            folded := normalize(casefold(folded COLLATE pg_unicode_fast));
            IF folded ~ '[^{_PLAIN}]' THEN
                folded := regexp_replace(folded, '´', '''', 'g');
                folded := regexp_replace(folded, '″', '"', 'g');
                folded := regexp_replace(folded, '[^{_PLAIN}{_KANA}]', E'\x1f\\&\x1f', 'g');
                folded := normalize(folded, NFKD);
                folded := regexp_replace(folded, '[\u3099\u309a]', E'\x1f\\&', 'g');
                folded := casefold(normalize(folded) COLLATE pg_unicode_fast);
                folded := regexp_replace(folded, '[\x1f\u0307{_IGNORABLE}]', '', 'g');
            END IF;
            folded := regexp_replace(folded, '[‘-‛′ʹʻʼ՚׳]', '''', 'g');
            folded := regexp_replace(folded, '[“-‟״]', '"', 'g');
            folded := regexp_replace(folded, '[‐-―−֊־]', '-', 'g');
            RETURN replace(folded, '〜', '~');
        END
        $$
    """)


def _create_index_functions() -> None:
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
            E'\x1f13:' || (id >> 13)::text,
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


def _create_thoughts() -> None:
    # With the collation "C" LIKE compares bytes.
    op.execute("""
        CREATE TABLE thoughts (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            user_id bigint NOT NULL CHECK (user_id > 0),
            username text NOT NULL CHECK (char_length(username) BETWEEN 1 AND 50),
            text text NOT NULL
                CHECK (char_length(text) BETWEEN 1 AND 250 AND text ~ '[^[:space:]]'),
            created_at timestamptz NOT NULL DEFAULT now(),
            folded_text text COLLATE "C" NOT NULL
                GENERATED ALWAYS AS (fold_text(text)) STORED
        )
    """)
    op.execute("CREATE INDEX thoughts_user_id ON thoughts (user_id, id)")
    op.execute("""
        CREATE INDEX thoughts_username
            ON thoughts ((normalize(casefold(username COLLATE pg_unicode_fast))), id)
    """)
    # New entries wait in a list, which searches also read, until it reaches 512 KiB (about 420
    # thoughts): adding them together costs less than one by one. ADR 30 has the figures.
    op.execute("""
        CREATE INDEX thoughts_search
            ON thoughts USING gin (thought_terms(id, user_id, username, folded_text))
            WITH (gin_pending_list_limit = 512)
    """)


def _create_idempotency_keys() -> None:
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
