"""The database itself: its constraints, its migrations, and its query plans."""

import asyncio
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import asyncpg
import pytest

from mythoughts_chassis.migrations import LOCK_NUMBER
from services.thoughts_backend.tests.conftest import MakeBackend
from testkit.roles import migrate_with_roles, service_url
from testkit.thoughts_sql import Sql
from testkit.waiting import wait_until
from thoughts_backend import list_queries
from thoughts_backend.app import MIGRATIONS
from thoughts_backend.list_queries import Statement, Wanted

INSERT = "INSERT INTO thoughts (user_id, username, text) VALUES ($1, $2, $3)"
ROWS = 60_000


@pytest.mark.parametrize(
    "text", ["a" * 251, "", " \n\t", "\u3000", "\u0085\u2028"], ids=["251", "empty", "a", "b", "c"]
)
def test_database_refuses_a_bad_text(sql: Sql, text: str) -> None:
    """The database itself enforces the length and the visible character."""
    with pytest.raises(asyncpg.CheckViolationError):
        sql.run(INSERT, 1, "bruce", text)


@pytest.mark.parametrize("values", [(None, "bruce", "a"), (1, None, "a"), (1, "bruce", None)])
def test_database_refuses_null(sql: Sql, values: tuple[object, ...]) -> None:
    """Author and text are required."""
    with pytest.raises(asyncpg.NotNullViolationError):
        sql.run(INSERT, *values)


@pytest.mark.parametrize(("user_id", "username"), [(0, "bruce"), (1, ""), (1, "x" * 51)])
def test_database_refuses_a_bad_author(sql: Sql, user_id: int, username: str) -> None:
    """An author has a positive id and a name of 1 to 50 characters."""
    with pytest.raises(asyncpg.CheckViolationError):
        sql.run(INSERT, user_id, username, "a")


def test_database_gives_the_ids_alone(sql: Sql) -> None:
    """Ids cannot be chosen, so that none is used twice."""
    with pytest.raises(asyncpg.GeneratedAlwaysError):
        sql.run("INSERT INTO thoughts (id, user_id, username, text) VALUES (7, 1, 'b', 'a')")


def test_database_takes_what_the_api_takes_as_visible(sql: Sql) -> None:
    """No character that the API considers visible is white space to the database."""
    rows = sql.run(
        "SELECT chr(n) FROM generate_series(1, 1114111) AS n "
        "WHERE n NOT BETWEEN 55296 AND 57343 AND chr(n) !~ '[^[:space:]]'"
    )

    blank = "".join(row[0] for row in rows)
    assert len(blank) > 20
    assert re.fullmatch(r"\s+", blank)


def test_migrations_at_once_go_one_after_the_other(
    backend_settings: dict[str, str], new_database: Callable[[], str]
) -> None:
    """Three replicas can migrate the same new database at once."""
    url = new_database()
    urls = {"DATABASE_URL": service_url(url), "MIGRATIONS_DATABASE_URL": url}
    settings = backend_settings | urls
    command = [sys.executable, "-m", "thoughts_backend", "migrate"]
    with asyncio.Runner() as runner, Sql(runner, url) as sql:
        sql.run("SELECT pg_advisory_lock($1)", LOCK_NUMBER)
        replicas = [subprocess.Popen(command, env=settings, cwd="/") for _ in range(3)]
        wait_until(lambda: sql.value("SELECT count(*) FROM pg_locks WHERE NOT granted") == 3)
        sql.run("SELECT pg_advisory_unlock($1)", LOCK_NUMBER)

        statuses = [replica.wait(60) for replica in replicas]

        assert statuses == [0, 0, 0]
        assert sql.value("SELECT count(*) FROM alembic_version") == 1


def test_migrating_again_changes_nothing(database_url: str, sql: Sql) -> None:
    """An up-to-date database keeps its data."""
    sql.add_thoughts("kept")

    migrate_with_roles(database_url, MIGRATIONS)

    assert sql.value("SELECT text FROM thoughts") == "kept"


def test_migration_leaves_no_lock(database_url: str, sql: Sql) -> None:
    """After a migration its lock is free."""
    migrate_with_roles(database_url, MIGRATIONS)

    assert sql.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0


def test_address_with_options_can_be_migrated(new_database: Callable[[], str]) -> None:
    """The address may contain options, as for the backend itself."""
    url = new_database() + "?sslmode=prefer&application_name=a%20b"

    migrate_with_roles(url, MIGRATIONS)

    with asyncio.Runner() as runner, Sql(runner, url) as sql:
        assert sql.value("SELECT count(*) FROM thoughts") == 0


def test_address_can_name_several_hosts(
    make_backend: MakeBackend, new_database: Callable[[], str]
) -> None:
    """If the first host of an address is down, migration and backend use the next."""
    url = new_database().replace("@", "@127.0.0.1:1,")
    migrate_with_roles(url, MIGRATIONS)
    backend = make_backend(DATABASE_URL=service_url(url))
    backend.start()

    wait_until(lambda: backend.http.get("/readyz").status == 200)


def test_backend_is_not_ready_without_a_schema(
    make_backend: MakeBackend, new_database: Callable[[], str]
) -> None:
    """With an unmigrated database the backend is alive but not ready; then it becomes ready."""
    url = new_database()
    backend = make_backend(DATABASE_URL=service_url(url))
    backend.start()
    before = [backend.http.get(path).status for path in ("/healthz", "/readyz", "/api/thoughts/")]

    migrate_with_roles(url, MIGRATIONS)

    wait_until(lambda: backend.http.get("/readyz").status == 200)
    after = [backend.http.get(path).status for path in ("/healthz", "/readyz", "/api/thoughts/")]
    assert (before, after) == ([200, 503, 503], [200, 200, 200])


@pytest.fixture(scope="module")
def many_thoughts(new_database: Callable[[], str]) -> Iterator[Sql]:
    """A separate database with many thoughts by a hundred users."""
    url = new_database()
    migrate_with_roles(url, MIGRATIONS)
    with asyncio.Runner() as runner, Sql(runner, url) as sql:
        sql.run(
            """
            INSERT INTO thoughts (user_id, username, text)
            SELECT 1 + n % 100, 'user ' || n % 100,
                'thought number ' || n || ', about ' || md5(n::text)
                    || CASE n WHEN 4711 THEN ' with a quokka 考拉熊' ELSE '' END
            FROM generate_series(1, $1::int) AS n
            """,
            ROWS,
        )
        sql.run("VACUUM ANALYZE thoughts")
        yield sql


FILTERS: dict[str, dict[str, Any]] = {
    "everything": {},
    "by user": {"user_id": 7},
    "by a user who has none": {"user_id": 4711},
    "by username": {"username": "USER 7"},
    "by a name that nobody has": {"username": "nobody"},
    "a rare term": {"search": "Quokka"},
    "a term that is nowhere": {"search": "wombat"},
    "a rare Chinese term": {"search": "考拉熊"},
    "a common term": {"search": "number"},
    "a rare term by user": {"search": "quokka", "user_id": 12},
    "a rare term by username": {"search": "quokka", "username": "user 11"},
}
CURSORS: dict[str, dict[str, Any]] = {
    "newest": {"above": 0, "below": 2**63 - 1, "ascending": False},
    "older": {"above": 0, "below": 30_000, "ascending": False},
    "newer": {"above": 30_000, "below": 2**63 - 1, "ascending": True},
}


def plan_of(sql: Sql, statement: Statement, mode: str) -> dict[str, Any]:
    """How PostgreSQL executes a statement, measured."""
    arguments = ", ".join(_literal(argument) for argument in statement.arguments)
    sql.run(f"SET plan_cache_mode = {mode}")
    sql.run(f"PREPARE listing AS {statement.sql}")
    (row,) = sql.run(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE listing({arguments})")
    sql.run("DEALLOCATE listing")
    plan: dict[str, Any] = json.loads(row[0])[0]["Plan"]
    return plan


def _literal(argument: object) -> str:
    if isinstance(argument, list):
        return f"ARRAY{argument}"
    return f"'{argument}'" if isinstance(argument, str) else str(argument)


def nodes(plan: dict[str, Any]) -> Counter[str]:
    """The kinds of all nodes of a plan, and how many there are of each."""
    return sum((nodes(part) for part in plan.get("Plans", [])), Counter([plan["Node Type"]]))


def by_index(wanted: Wanted, grams: Sequence[str]) -> Statement:
    """A search of some blocks, and of everything if they have too few matches."""
    return list_queries.by_index(wanted, wanted, grams, bits=16, blocks=(0, 1), enough=21, limit=21)


def statements_of(wanted: Wanted) -> list[Statement]:
    """All statements of lists and searches."""
    if not wanted.search:
        return [list_queries.listing(wanted, limit=21)]
    return [
        list_queries.walk(wanted, length=4096, limit=21),
        by_index(wanted, ["qu"]),
        by_index(wanted, ["quo", "okk"]),
    ]


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("cursor", CURSORS.values(), ids=CURSORS)
@pytest.mark.parametrize("filters", FILTERS.values(), ids=FILTERS)
def test_no_list_reads_the_whole_table(
    many_thoughts: Sql, filters: dict[str, Any], cursor: dict[str, Any], mode: str
) -> None:
    """Every step of a list or search uses an index, with custom and generic plans."""
    wanted = Wanted(**({"search": "", "username": "", "user_id": None} | filters | cursor))

    kinds = [nodes(plan_of(many_thoughts, one, mode)) for one in statements_of(wanted)]

    assert not any("Seq Scan" in kind for kind in kinds), kinds


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("gram", ["quo", "考拉", "考", "qz", "q", "?!", "\U0001fa69"])
def test_gram_of_any_length_is_found_by_the_index_of_terms(
    many_thoughts: Sql, gram: str, mode: str
) -> None:
    """The term index serves whole grams and prefixes, in some blocks and everywhere."""
    wanted = Wanted(search=gram, username="", user_id=None, **CURSORS["newest"])

    plan = plan_of(many_thoughts, by_index(wanted, [gram]), mode)

    assert nodes(plan)["Bitmap Index Scan"] == 2


def test_application_knows_which_grams_are_common(many_thoughts: Sql) -> None:
    """The owner of the index can read its statistics."""
    frequencies = many_thoughts.apply(list_queries.fetch_frequencies)

    assert frequencies["tho"] > 0.9
    assert "quo" not in frequencies
