"""Searching the texts of thoughts."""

import unicodedata

import pytest

from testkit.http_client import HttpClient
from testkit.thoughts_sql import Sql

PATH = "/api/thoughts/"


def found(http: HttpClient, search: str) -> list[str]:
    """The texts found by a search, newest first."""
    answer = http.get(PATH, query={"search": search})
    assert answer.status == 200, answer.body
    return [thought["text"] for thought in answer.json()]


@pytest.mark.parametrize("search", ["water", "Be", "e w", "r.", "Be water.", "b", "."])
def test_part_of_a_text_finds_it(http: HttpClient, sql: Sql, search: str) -> None:
    """A search finds the texts that contain it anywhere."""
    sql.add_thoughts("Be water.", "Something else")

    assert "Be water." in found(http, search)


@pytest.mark.parametrize("search", ["wine", "water..", "Be  water", "bewater"])
def test_text_without_the_term_is_not_found(http: HttpClient, sql: Sql, search: str) -> None:
    """A search finds only texts that contain it."""
    sql.add_thoughts("Be water.")

    assert found(http, search) == []


@pytest.mark.parametrize(
    ("text", "search"),
    [
        ("Be Water", "bE wATER"),
        ("Straße", "STRAẞE"),
        ("Straße", "strasse"),
        ("STRASSE", "straße"),
        ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("ΣΊΣΥΦΟΣ", "σίσυφοσ"),
        ("Привет, МИР", "пРИВЕТ, мир"),
        ("İstanbul", "İSTANBUL"),
        ("ÉCOLE", "école"),
        ("Ǆ ǆ", "ǅ"),
        ("ΐ", "Ϊ\u0301"),
        ("Ⅷ", "ⅷ"),
        ("𐐀𐐁", "𐐨𐐩"),
        ("ԱԲԳ", "աբգ"),
        ("Ꭰ", "ꭰ"),
        ("你好世界", "好世"),
        ("東京タワー", "タワー"),
        ("مرحبا", "حبا"),
        ("नमस्ते", "मस्"),
        ("🦊🐻", "🐻"),
        ("👩‍👩‍👧", "👩‍👧"),
    ],
)
def test_case_does_not_matter_in_any_script(
    http: HttpClient, sql: Sql, text: str, search: str
) -> None:
    """Upper and lower case match each other, with full Unicode case folding."""
    sql.add_thoughts(text)

    assert found(http, search) == [text]


@pytest.mark.parametrize("word", ["café", "Ångström", "한글", "ế", "İzmir", "ΐ"])
@pytest.mark.parametrize(("stored", "asked"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_composed_and_decomposed_letters_are_the_same(
    http: HttpClient, sql: Sql, word: str, stored: str, asked: str
) -> None:
    """A letter with a mark is found in any encoding, and is returned as it was written."""
    written = unicodedata.normalize(stored, f"the {word} here")  # type: ignore[arg-type]
    sql.add_thoughts(written)

    assert found(http, unicodedata.normalize(asked, word)) == [written]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("☕\ufe0f", "☕"),
        ("❤\ufe0f", "❤\ufe0e"),
        ("1\ufe0f\u20e3", "1\u20e3"),
        ("👩\u200d👧", "👩👧"),
        ("it's", "it’s"),
        ("it's", "it´s"),
        ("it's", "itʼs"),
        ("it's", "it＇s"),
        ("rock 'n' roll", "rock ‘n’ roll"),
        ('"so"', "“so”"),
        ('"so"', "„so‟"),
        ("5'10\"", "5′10″"),
        ('צה"ל', "צה״ל"),
        ("1914-1918", "1914–1918"),
        ("well-known", "well‐known"),
        ("well-known", "well‑known"),
        ("yes-no", "yes—no"),
        ("-5", "−5"),
        ("10-3", "10⁻³"),
        ("wait...", "wait…"),
        ("ABC", "ＡＢＣ"),
        ("１００％", "100%"),
        ("ｓｎａｋｅ＿ｃａｓｅ", "snake_case"),
        ("c:＼temp", "C:\\temp"),
        ("好,好!", "好，好！"),
        ("カタカナ", "ｶﾀｶﾅ"),
        ("ガギグ", "ｶﾞｷﾞｸﾞ"),
        ("パーティー", "ﾊﾟｰﾃｨｰ"),
        ("ヴ", "ｳﾞ"),
        ("5〜6", "5～6"),
        ("한글", "한글"),
        ("ㄱ", "ﾡ"),
        ("istanbul", "İstanbul"),
        ("İSTANBUL", "istanbul"),
        ("soft", "so\u00adft"),
        ("joined", "joi\u200dned"),
        ("joined", "joi\u200cned"),
        ("zero", "ze\u200bro"),
        ("mark", "\ufeffmark"),
        ("a b", "a\u00a0b"),
        ("a b", "a\u3000b"),
        ("office", "oﬃce"),
        ("20 °C", "20 ℃"),
        ("x2", "x²"),
        ("1⁄2", "½"),
        ("No 5", "№ 5"),
        ("viii", "Ⅷ"),
        ("plan", "𝐩𝐥𝐚𝐧"),
        ("لا", "ﻻ"),
    ],
)
def test_what_reads_the_same_is_found(http: HttpClient, sql: Sql, one: str, other: str) -> None:
    """Equivalent spellings find each other and themselves."""
    sql.add_thoughts(f"before {one} after", f"before {other} after", "unlike")
    both = [f"before {other} after", f"before {one} after"]

    assert [found(http, one), found(http, other)] == [both, both]


@pytest.mark.parametrize(
    ("text", "search"),
    [("café", "cafe"), ("naïve", "naive"), ("ışık", "işik"), ("ø", "o"), ("ー", "-"), ("一", "-")],
)
def test_other_letters_are_not_found(http: HttpClient, sql: Sql, text: str, search: str) -> None:
    """Accents matter, and so does the dot of an i; a letter may look like a dash."""
    sql.add_thoughts(text)

    assert found(http, search) == []


@pytest.mark.parametrize("search", ["％", "＿", "＼", "﹪", "％％", "a％"])
def test_what_folds_to_a_special_character_is_literal(
    http: HttpClient, sql: Sql, search: str
) -> None:
    """A full-width percent sign, underscore or backslash finds only these signs."""
    sql.add_thoughts("abc", f"a{unicodedata.normalize('NFKC', search)}c")

    assert found(http, search) == [f"a{unicodedata.normalize('NFKC', search)}c"]


def test_term_that_folds_longer_than_a_text_is_found(http: HttpClient, sql: Sql) -> None:
    """A text and a term that folding makes eighteen times as long match each other."""
    sql.add_thoughts("ﷺ" * 250)

    assert found(http, "ﷺ" * 250) == found(http, "وسلمصلى") == ["ﷺ" * 250]


@pytest.mark.parametrize(
    "search",
    ["%", "_", "\\", "%%", "\\%", "__", "a%c", "a_c", "\\a", "%c", "*", "?", "'", '"', "."],
)
def test_every_character_is_literal(http: HttpClient, sql: Sql, search: str) -> None:
    """No character of a search is special; each finds only itself."""
    sql.add_thoughts("abc", f"before{search}after", "a-c")

    assert found(http, search) == [f"before{search}after"]


def test_term_ending_in_a_backslash_is_found(http: HttpClient, sql: Sql) -> None:
    """A backslash at the end of a longer search finds itself."""
    sql.add_thoughts("C:\\temp\\", "C:\\temp")

    assert found(http, "temp\\") == ["C:\\temp\\"]


@pytest.mark.parametrize(
    "search",
    [
        "",
        " ",
        "\t\n",
        "\u3000",
        "\u200b",
        "\u00ad \ufe0f",
        "\u3164",
        "\u2800",
        "\U000e0067",
        "\u0307",
    ],
)
def test_blank_search_lists_everything(http: HttpClient, sql: Sql, search: str) -> None:
    """A search of white space and other invisible characters is ignored."""
    sql.add_thoughts("one", "two")

    assert found(http, search) == ["two", "one"]


def test_line_break_is_found(http: HttpClient, sql: Sql) -> None:
    """A search across a line break matches, even with CR LF."""
    sql.add_thoughts("one\ntwo")

    assert found(http, "E\r\nT") == ["one\ntwo"]


def test_longest_search_is_taken(http: HttpClient, sql: Sql) -> None:
    """250 emoji, the longest possible text, find that text."""
    sql.add_thoughts("🦊" * 250)

    assert found(http, "🦊" * 250) == ["🦊" * 250]


def test_too_long_search_is_refused(http: HttpClient) -> None:
    """A search that is longer than any text gets 400."""
    answer = http.get(PATH, query={"search": "a" * 251})

    assert (answer.status, answer.faulty_fields) == (400, ["search"])


@pytest.mark.parametrize("search", ["%00", "a%00b"])
def test_nul_in_a_search_is_refused(http: HttpClient, search: str) -> None:
    """A NUL gets 400 with the parameter's name."""
    answer = http.get(f"{PATH}?search={search}")

    assert (answer.status, answer.faulty_fields) == (400, ["search"])


@pytest.mark.parametrize("search", ["%ff", "%ED%A0%80", "%c3%28", "%F4%90%80%80", "%80"])
def test_search_that_is_not_utf8_is_refused(http: HttpClient, search: str) -> None:
    """Bytes that are not UTF-8, including lone surrogates, get 400."""
    assert http.get(f"{PATH}?search={search}").status == 400


@pytest.mark.parametrize("search", ["%", "%zz", "%u0041"])
def test_percent_that_escapes_nothing_is_itself(http: HttpClient, sql: Sql, search: str) -> None:
    """A percent sign without two hexadecimal digits represents itself."""
    sql.add_thoughts(f"a {search} b", "other")

    answer = http.get(f"{PATH}?search={search}")

    assert [thought["text"] for thought in answer.json()] == [f"a {search} b"]


def test_search_goes_together_with_an_author(http: HttpClient, sql: Sql) -> None:
    """`search` and `username` must both match."""
    sql.add_thoughts("water", username="bruce")
    sql.add_thoughts("water", "wine", username="stephen", user_id=2)

    answer = http.get(PATH, query={"search": "WATER", "username": "Stephen"})

    assert [(t["username"], t["text"]) for t in answer.json()] == [("stephen", "water")]
