"""Searches match equivalent forms of letters, quotes and dashes."""

from alembic import op

revision = "0003"
down_revision = "0002"

# Characters that do not change when folded alone, except quotes and dashes. Missing ones only
# cost time.
_PLAIN = (
    r"\u0001-\u009f\u00c0-\u0131\u0386-\u03ce\u0400-\u052f\u05d0-\u05ea\u0621-\u0674\u0904-\u0939"
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
    """Fold all texts again, and rebuild the search index from them."""
    # Case folding and NFC as before, then Unicode's NFKC_Casefold of each character alone.
    # Applied to a whole text, it would compose characters with their neighbours, and a part of the
    # text would no longer be found in it. Characters that may change are therefore enclosed in
    # U+001F, which composes with nothing; a U+001F in a text becomes a space. Voiced kana are two
    # characters in half width, so they become two in full width too. U+0307 remains from a
    # Turkish İ.
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
    op.execute("ALTER TABLE thoughts ALTER COLUMN folded_text SET EXPRESSION AS (fold_text(text))")
    # Searches read the term frequencies from the statistics of the index.
    op.execute("ANALYZE thoughts")
