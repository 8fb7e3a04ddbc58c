"""The form in which texts and terms are compared (`fold_text`), for all of Unicode."""

import asyncio
import os
import subprocess
import unicodedata
from collections.abc import Callable, Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.postgres_binaries import program
from testkit.thoughts_sql import Sql
from thoughts_backend.schemas import shows_something

# Plain case folding, without compatible forms.
PLAIN = "normalize(casefold({} COLLATE pg_unicode_fast))"

# One of each kind that folding, composing or ordering treats differently.
ALPHABET = (
    "abIißẞİıſKÅéŉǰſtﬁﬆΣσςΐΰᾳᾼԱև"
    "e\u0301\u0307\u0323\u0327\u0334\u0336\u0338\u0345\u034f\u035c\u0360\u093c\u094d\u05b0\u064b"
    "ＡＢｃ１％＿＼＇＂－￥ｶﾞﾟｱガがパぱうヴ\u3099\u309a゛゜ヿゟー〜～"
    "한ᄒ\u1161\u11ab\u115f\u1160\u3164\uffa0ﾡￂㄱㅏ㈀㉠가"
    "℃№™…¼²⑴Ⅷ㎏㋿﷼ﷺﻻำຳཷ豈"
    "☕❤\ufe0e\ufe0f\u200d👩👧🏽🇹🇷1\u20e3🏴\U000e0067\U000e007f"
    "'’‘`´′″‴\"“„«-‐‑‒–—―−⁻﹣\u00ad\u200b\u200c\u2060\ufeff\u180e"
    " \u00a0\u3000\u2003\n\t\x1f\x7f\x85\U0001d400\U0001d7ceក\u17b4𐐀Ꭰꭰ\uffff\U0010ffff%_\\"
)
CHARACTERS = st.sampled_from(ALPHABET) | st.characters(codec="utf-8", exclude_characters="\x00")
TEXTS = st.text(CHARACTERS, min_size=1, max_size=30)

EXAMPLES = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=1500,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
FORMS: Sequence[Callable[[str], str]] = (
    str,
    str.upper,
    str.lower,
    *(lambda text, form=form: unicodedata.normalize(form, text) for form in ("NFC", "NFD")),
)


def assigned() -> list[str]:
    """The characters that Python's version of Unicode knows; PostgreSQL's is newer."""
    characters = map(chr, range(1, 0x110000))
    return [one for one in characters if unicodedata.category(one) not in ("Cn", "Cs")]


def compatibility_folded(text: str) -> str:
    """Python's case folding and NFKC, repeated until nothing changes."""
    folded = unicodedata.normalize("NFKC", text.casefold())
    return text if folded == text else compatibility_folded(folded)


def folded(sql: Sql, texts: list[str]) -> list[str]:
    """The texts as folded by PostgreSQL."""
    rows = sql.run(
        "SELECT fold_text(text) FROM unnest($1::text[]) WITH ORDINALITY AS t (text, place) "
        "ORDER BY place",
        texts,
    )
    return [row[0] for row in rows]


def test_every_character_is_found_by_its_compatible_form(sql: Sql) -> None:
    """A character folds to what its case-folded compatibility form (NFKC) folds to."""
    characters = assigned()

    pairs = zip(
        folded(sql, characters),
        folded(sql, [compatibility_folded(one) for one in characters]),
        strict=True,
    )
    apart = {one for one, (own, other) in zip(characters, pairs, strict=True) if own != other}

    # Quotes that Unicode decomposes to a space with an accent, and to two strokes.
    assert apart == set("´\u1ffd″")


def test_character_folds_in_the_same_way_beside_any_other(sql: Sql) -> None:
    """A word is found whether or not a character of another kind stands in the text."""
    # These join the character before them.
    characters = [one for one in assigned() if one not in "\u3099\u309a"]

    beside = folded(sql, [f"{one}…" for one in characters])

    assert beside == [f"{alone}..." for alone in folded(sql, characters)]


def test_folding_again_changes_nothing(sql: Sql) -> None:
    """Folding any folded character again changes nothing."""
    once = folded(sql, assigned())

    assert folded(sql, once) == once


def test_characters_that_fold_to_nothing_show_nothing(sql: Sql) -> None:
    """Characters ignored by searches are those that a text may not consist of, except İ's dot."""
    characters = assigned()

    dropped = {
        one for one, rest in zip(characters, folded(sql, characters), strict=True) if not rest
    }

    assert {one for one in dropped if shows_something(one)} == {"\u0307"}
    assert {"\u00ad", "\u200d", "\ufe0f", "\u3164", "\U000e0067"} < dropped


def test_text_folds_character_by_character(sql: Sql) -> None:
    """How plain case folding changes a character does not depend on its neighbours."""

    @EXAMPLES
    @given(TEXTS)
    def check(text: str) -> None:
        plain = sql.value(f"SELECT {PLAIN.format('$1::text')}", text)

        whole, *parts = folded(sql, [text, *plain])

        assert whole == "".join(parts)

    check()


def test_folding_finds_at_least_what_plain_case_folding_finds(sql: Sql) -> None:
    """A part of a text that plain case folding finds in any form is found in this form."""

    @EXAMPLES
    @given(TEXTS, st.integers(0, 29), st.integers(1, 30))
    def check(text: str, start: int, length: int) -> None:
        terms = [form(text[start : start + length]) for form in FORMS]
        rows = sql.run(
            f"SELECT term, strpos({PLAIN.format('$1::text')}, {PLAIN.format('term')}) > 0, "  # noqa: S608
            "strpos(fold_text($1), fold_text(term)) > 0 FROM unnest($2::text[]) AS terms (term)",
            text,
            terms,
        )

        assert [term for term, plainly_found, is_found in rows if plainly_found > is_found] == []

    check()


def test_dump_can_be_restored(sql: Sql, database_url: str, new_database: Callable[[], str]) -> None:
    """A dump by `pg_dump` restores the same thoughts in an empty database, folded the same."""
    sql.add_thoughts("It’s İstanbul, ＡＢＣ", "plain")
    environment = {**os.environ, "PGTZ": "UTC"}
    dump = subprocess.run(
        [program("pg_dump"), "--no-owner", database_url],
        check=True,
        capture_output=True,
        env=environment,
    )
    url = new_database()

    subprocess.run(
        [program("psql"), "--quiet", "--set=ON_ERROR_STOP=1", url],
        input=dump.stdout,
        check=True,
        capture_output=True,
        env=environment,
    )

    with asyncio.Runner() as runner, Sql(runner, url) as restored:
        rows = restored.run("SELECT folded_text FROM thoughts ORDER BY id")
        assert [row[0] for row in rows] == ["it's istanbul, abc", "plain"]
