"""Which names are allowed, and which names are the same."""

import re
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import pytest

from testkit.http_client import Answer, HttpClient
from testkit.users_sql import PASSWORD, Sql
from users_backend.app import OPENAPI

ACCEPTED = [
    "a",
    "x" * 50,
    "Old Tom",
    "Jean-Luc Picard",
    "jean-luc.picard_2",
    "O'Brien-Smith_%\\",
    "1984",
    "José",
    "Łukasz",
    "Ünal Çağrı Şahin",
    "Nguyễn Thị Ánh",
    "Col·legi",
    "Дмитрий",
    "Владимир 2",
    "Σίσυφος",
    "Գարեգին",
    "თამარ",
    "小明",
    "李小龍",
    "日本 太郎",
    "スティーブ・ジョブズ",
    "한" * 50,
    "한글",
    "ไทย",
    "ສະບາຍດີ",
    "မြန်မာ",
    "ខ្មែរ",
    "हिन्दी",
    "বাংলা",
    "தமிழ்",
    "සිංහල",
    "བོད་ཡིག",
    "ሰላም",
    "ᏣᎳᎩ",
    "ⵜⴰⵎⴰⵣⵉⵖⵜ",
    "ߒߞߏ",
    "𞤀𞤣𞤤𞤢𞤥",
    "سارا",
    "محمد",
    "محمد 2",
    "مُحَمَّد",
    "علی۲",
    "עברית",
    "שָׁלוֹם",
    "דוד2",
    "Sara سارا",
    "می\u200cخواهم",
    "क्\u200dष",
    "DJ Иван",
    "Taro太郎",
]


def create(http: HttpClient, admin: str, username: object) -> Answer:
    """Request a user with this name."""
    return http.post(
        "/admin/users/", token=admin, json={"username": username, "password": PASSWORD}
    )


@pytest.mark.parametrize("name", ACCEPTED)
def test_names_of_any_script_are_kept_as_written(http: HttpClient, admin: str, name: str) -> None:
    """A name has 1 to 50 characters of any script, with single spaces and joiners inside."""
    answer = create(http, admin, name)

    assert (answer.status, answer.json().get("username")) == (201, name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        " a",
        "a ",
        "bruce  lee",
        "bruce   lee",
        "a\n",
        "a\nb",
        "a\r\n",
        "a\tb",
        "a\0b",
        "a\x1bb",
        "a\x7fb",
        "a\x85b",
        "a\u00a0b",
        "a\u3000b",
        "a\u2003b",
        "a\u200bb",
        "a\u202eb",
        "a\u2066b",
        "a\u2028b",
        "a\u00adb",
        "a\u034fb",
        "a\u180eb",
        "a\u17b4b",
        "\u2800",
        "a\u2800b",
        "a\u200eb",
        "a\ufeffb",
        "\u3164",
        "a\uffa0b",
        "\u115f",
        "\u200d",
        "\u200ca",
        "bru\u200dce",
        "bru\u200cce",
        "\ufe0f",
        "a\ufe0fb",
        "a\ufffcb",
        "a\ufffdb",
        "a\uffffb",
        "a\ufdd0b",
        "a\ue000b",
        "a\u0378b",
        "a\u0530b",
        "a\U000e0041b",
        "a\U000e0100b",
        "a\U0003fffeb",
        "a\U0003ffffb",
        "a\U00050000b",
        "a\U000f0000b",
        "a\U0010ffffb",
        "a\U00013430b",
        "a\U0001d159b",
        "a\U0001d173b",
        "a\U0001bca0b",
        "\U0001f469\u200d\U0001f680",
        "a☀b",
        "O’Brien",
        "100€",
        "𝒳",
        "ﬁnn",
        "²",
        "ⅷ",
        "\u1100",
        "a\u00b7b",
        "\u0640",
        "אa",
        "1א",
        "א-",
        "x" * 51,
        "é" * 51,
        None,
        7,
        ["a"],
    ],
    ids=ascii,
)
def test_invalid_names_are_rejected(http: HttpClient, admin: str, sql: Sql, name: object) -> None:
    """Control, format, unassigned, invisible and special characters, symbols and spaces are 400."""
    answer = create(http, admin, name)

    assert (answer.status, answer.faulty_fields) == (400, ["username"])
    assert sql.value("SELECT count(*) FROM users") == 1


def test_published_pattern_refuses_no_name() -> None:
    """A client that validates names with the document, even in UTF-16 units, sends valid ones."""
    pattern = OPENAPI["components"]["schemas"]["NewUser"]["properties"]["username"]["pattern"]

    for name in ACCEPTED:
        units = memoryview(name.encode("utf-16-le")).cast("H")
        assert re.search(pattern, name), name
        assert re.search(pattern, "".join(map(chr, units))), name


@pytest.mark.parametrize(
    "name",
    [
        "\u0301",
        "\u0301a",
        "bruce \u0301",
        "\u094d",
        "\uff9ea",
        "\u20dd",
        "\U00016fe4",
        "bruce\U00016fe4",
        "bruce7\U00016fe4",
        "bruce\U0001107f",
        "bruce\u17d2",
        "bruce\u1039",
        "小\u093f",
        "o\u0336\u0336",
        "e\u0301\u0301",
    ],
    ids=ascii,
)
def test_marks_without_a_letter_of_their_own_are_refused(
    http: HttpClient, admin: str, name: str
) -> None:
    """A mark needs a preceding letter of its own script, and must not be repeated."""
    answer = create(http, admin, name)

    assert (answer.status, answer.faulty_fields) == (400, ["username"])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a\tb", "U+0009 (character 2): it is a control character"),
        ("bruce ☀", "U+2600 BLACK SUN WITH RAYS (character 7): it is a symbol"),
        ("a\u0378", "U+0378 (character 2): it is not assigned in Unicode"),
        ("a\u200bb", "U+200B ZERO WIDTH SPACE (character 2): it is invisible"),
        ("a\u200db", "U+200D ZERO WIDTH JOINER (character 2): it is not allowed in this position"),
        ("e\u0301 \u0301", "U+0301 COMBINING ACUTE ACCENT (character 3): a mark needs a letter"),
        ("a  b", "must not begin or end with a space, or contain two in a row"),
        ("אa", "must not mix right-to-left letters with others in one word"),
        ("x" * 51, "must have at most 50 characters"),
    ],
)
def test_refusal_says_what_is_wrong_and_where(
    http: HttpClient, admin: str, name: str, said: str
) -> None:
    """The error for an invalid name says which character is wrong, where and why."""
    answer = create(http, admin, name)

    (error,) = answer.json()["errors"]
    assert error["field"] == "username"
    assert said in error["detail"]


def test_name_and_password_are_refused_together(http: HttpClient, admin: str) -> None:
    """One response lists the errors of each field."""
    answer = http.post("/admin/users/", token=admin, json={"username": "a  b", "password": "x"})

    assert (answer.status, answer.faulty_fields) == (400, ["username", "password"])


def test_full_width_name_is_stored_in_ordinary_width(http: HttpClient, admin: str) -> None:
    """A name in full width is the same as in ordinary width, and is stored that way."""
    answer = create(http, admin, "ｂｒｕｃｅ")

    assert (answer.status, answer.json()["username"]) == (201, "bruce")


def test_name_is_stored_composed(http: HttpClient, admin: str) -> None:
    """A decomposed name is stored and shown in the form NFC."""
    answer = create(http, admin, "Zoe\u0308")

    assert answer.json()["username"] == "Zoë"


def test_name_that_grows_when_composed_is_refused(http: HttpClient, admin: str) -> None:
    """The limit of 50 characters also applies in NFC, where a few characters become two."""
    answer = create(http, admin, "\u0958" * 26)

    assert (answer.status, answer.faulty_fields) == (400, ["username"])


@pytest.mark.parametrize(
    ("taken", "wanted"),
    [
        ("bruce", "bruce"),
        ("bruce", "BRUCE"),
        ("Zoë", "ZOE\u0308"),
        ("straße", "STRASSE"),
        ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
        ("дмитрий", "ДМИТРИЙ"),
        ("bruce", "ｂｒｕｃｅ"),
        ("می\u200cخواهم", "میخواهم"),
        ("bru\u200dce\ufe0f", "bruce"),
        ("ﬁnn", "FINN"),
    ],
)
def test_same_names_are_taken(
    http: HttpClient, admin: str, sql: Sql, taken: str, wanted: str
) -> None:
    """Names that differ only in case, form or invisible characters are the same: 409."""
    sql.add_user(taken)

    answer = create(http, admin, wanted)

    assert (answer.status, answer.json()["detail"]) == (409, "This name is taken.")


@pytest.mark.parametrize(
    ("taken", "wanted"), [("e", "é"), ("Old Tom", "OldTom"), ("i", "j"), ("小明", "小朋")]
)
def test_different_names_are_free(
    http: HttpClient, admin: str, sql: Sql, taken: str, wanted: str
) -> None:
    """A different accent, space or letter makes a different name."""
    sql.add_user(taken)

    assert create(http, admin, wanted).status == 201


def test_one_of_six_at_once_gets_the_name(http: HttpClient, admin: str, sql: Sql) -> None:
    """Of six simultaneous creations of names that differ only in case, one succeeds."""
    names = ["steve", "Steve", "sTeve", "stEve", "steVe", "stevE"]

    with ThreadPoolExecutor(6) as pool:
        statuses = list(pool.map(lambda name: create(http, admin, name).status, names))

    assert sorted(statuses) == [201, 409, 409, 409, 409, 409]
    assert sql.value("SELECT count(*) FROM users") == 2


@pytest.mark.parametrize(
    "values",
    [
        "('', 'hash', NULL)",
        "(repeat('x', 51), 'hash', NULL)",
        "('e' || U&'\\0301', 'hash', NULL)",
        "(NULL, 'hash', NULL)",
        "('a', NULL, NULL)",
        "('a', 'hash', now())",
    ],
    ids=["empty", "long", "decomposed", "null", "no hash", "deleted with hash"],
)
def test_database_itself_rejects_invalid_users(sql: Sql, values: str) -> None:
    """The constraints apply to everybody who writes to the database."""
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        sql.run(f"INSERT INTO users (username, password_hash, deleted_at) VALUES {values}")  # noqa: S608 (ours)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT id FROM users WHERE folded_name(username) IN (folded_name('A'), folded_name('B'))",
        "SELECT * FROM users WHERE id < 3000 AND deleted_at IS NULL ORDER BY id DESC LIMIT 21",
        "SELECT * FROM users WHERE id > 3000 AND deleted_at IS NULL ORDER BY id LIMIT 21",
    ],
)
def test_no_lookup_reads_the_table(sql: Sql, statement: str) -> None:
    """Logins and lists use an index."""
    sql.run(
        "INSERT INTO users (username, password_hash, deleted_at) "
        "SELECT 'user ' || i, CASE i % 2 WHEN 0 THEN 'hash' END, CASE i % 2 WHEN 1 THEN now() END "
        "FROM generate_series(1, 5000) AS i"
    )
    sql.run("ANALYZE users")

    plan = "\n".join(row[0] for row in sql.run(f"EXPLAIN {statement}"))

    assert "Index Scan" in plan
    assert "Seq Scan" not in plan
