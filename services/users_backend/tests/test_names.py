"""Which names users can have, and which names are the same."""

from concurrent.futures import ThreadPoolExecutor

import asyncpg
import pytest

from chassis.tests.http_client import Answer, HttpClient
from services.users_backend.tests.sql import PASSWORD, Sql


def create(http: HttpClient, admin: str, username: object) -> Answer:
    """Ask for a user of this name."""
    return http.post(
        "/admin/users/", token=admin, json={"username": username, "password": PASSWORD}
    )


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "x" * 50,
        "Old Tom",
        "小明",
        "한" * 50,
        "Дмитрий",
        "سارا",
        "می\u200cخواهم",
        "क्\u200dष",
        "👩\u200d🚀",
        "a☀\ufe0fb",
        "O'Brien-Smith_%\\",
        "日本 太郎",
        "𝒳",
    ],
)
def test_names_of_any_script_are_kept_as_written(http: HttpClient, admin: str, name: str) -> None:
    """A name has 1 to 50 characters of any script, spaces and joiners inside."""
    answer = create(http, admin, name)

    assert (answer.status, answer.json().get("username")) == (201, name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        " a",
        "a ",
        "a\n",
        "a\nb",
        "a\r\n",
        "a\tb",
        "a\0b",
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
        "\u2800",
        "a\u200eb",
        "a\ufeffb",
        "\u3164",
        "\u115f",
        "\u200d",
        "\u200ca",
        "\ufe0f",
        "a\ufffdb",
        "a\uffffb",
        "a\ue000b",
        "a\U000e0041b",
        "a\U000e0100b",
        "a\U000f0000b",
        "a\U0010ffffb",
        "x" * 51,
        None,
        7,
        ["a"],
    ],
    ids=ascii,
)
def test_unfit_names_are_refused(http: HttpClient, admin: str, sql: Sql, name: object) -> None:
    """Control, format and invisible characters, and spaces at an end, are 400."""
    answer = create(http, admin, name)

    assert (answer.status, answer.faulty_fields) == (400, ["username"])
    assert sql.value("SELECT count(*) FROM users") == 1


def test_refusal_says_what_a_name_is(http: HttpClient, admin: str) -> None:
    """Who sends a name that does not fit is told the rule, not a regular expression."""
    answer = create(http, admin, "a\tb")

    assert answer.json()["detail"].startswith("username: must consist of visible characters")


def test_name_is_stored_composed(http: HttpClient, admin: str) -> None:
    """A decomposed name is stored and shown in the form NFC."""
    answer = create(http, admin, "Zoe\u0308")

    assert answer.json()["username"] == "Zoë"


def test_name_is_composed_as_the_database_knows(http: HttpClient, admin: str) -> None:
    """Characters that are newer than this Python's tables are composed, too (Unicode 16)."""
    answer = create(http, admin, "\U00016d67\U00016d67")

    assert (answer.status, answer.json()["username"]) == (201, "\U00016d68")


def test_name_that_grows_when_composed_is_refused(http: HttpClient, admin: str) -> None:
    """The 50 characters are counted in NFC, too, where a few characters become two."""
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
        ("bruce", "bru\u200dce"),
        ("bruce", "bru\u200cce\ufe0f"),
        ("ﬁnn", "FINN"),
    ],
)
def test_same_names_are_taken(
    http: HttpClient, admin: str, sql: Sql, taken: str, wanted: str
) -> None:
    """Names that differ only in case, form or what cannot be seen are the same: 409."""
    sql.add_user(taken)

    answer = create(http, admin, wanted)

    assert (answer.status, answer.json()["detail"]) == (409, "This name is taken.")


@pytest.mark.parametrize(
    ("taken", "wanted"), [("e", "é"), ("Old Tom", "OldTom"), ("i", "ı"), ("小明", "小朋")]
)
def test_different_names_are_free(
    http: HttpClient, admin: str, sql: Sql, taken: str, wanted: str
) -> None:
    """An accent, a space or another letter makes another name."""
    sql.add_user(taken)

    assert create(http, admin, wanted).status == 201


def test_one_of_six_at_once_gets_the_name(http: HttpClient, admin: str, sql: Sql) -> None:
    """Of six creations at once, of names that differ only in case, one succeeds."""
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
def test_database_itself_refuses_unfit_users(sql: Sql, values: str) -> None:
    """The constraints hold for everybody who writes into the database."""
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        sql.run(f"INSERT INTO users (username, password_hash, deleted_at) VALUES {values}")  # noqa: S608 (ours)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM users WHERE folded_name(username) = folded_name('USER 7')",
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
