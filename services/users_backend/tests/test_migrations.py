"""Migrations of a database that is in use."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copytree

import pytest

from mythoughts_chassis.migrations import migrate
from mythoughts_chassis.settings import Secret
from services.users_backend.tests.conftest import MakeBackend
from testkit.token_maker import TokenMaker
from testkit.users_sql import PASSWORD, Sql
from users_backend.app import MIGRATIONS

# Several look alike, and only the first and the last would be accepted now.
FORMER_NAMES = [
    "bruce lee",
    "bruce  lee",
    "bruce   lee",
    "bruсe lee",
    "👩\u200d🚀",
    "𝒳",
    "\u0301",
    "a\U00013430",
    "a\U00016fe4",
    "a\u0378",
    "O’Brien",
    "ﷺ" * 50,
    "Irene",
    "lrene",
]


@pytest.fixture
def former_url(new_database: Callable[[], str], tmp_path: Path) -> str:
    """A database as the first release leaves it: with only 0001."""
    url = new_database()
    first_release = copytree(MIGRATIONS, tmp_path / "migrations")
    (first_release / "versions" / "0002_name_skeletons.py").unlink()
    migrate(Secret(url), first_release)
    return url


@pytest.fixture
def former(former_url: str) -> Iterator[Sql]:
    """A connection to it, filled with users, one of them deleted."""
    with asyncio.Runner() as runner, Sql(runner, former_url) as sql:
        for name in [*FORMER_NAMES, "gone"]:
            sql.add_user(name)
        sql.run("UPDATE users SET deleted_at = now(), password_hash = NULL WHERE username = 'gone'")
        yield sql


@pytest.mark.usefixtures("former")
def test_users_of_former_releases_all_log_in(former_url: str, make_backend: MakeBackend) -> None:
    """Names that look alike, or would now be rejected, still work after the migration."""
    migrate(Secret(former_url), MIGRATIONS)
    backend = make_backend(DATABASE_URL=former_url)
    backend.start()

    statuses = {
        name: backend.http.post("/api/login", json={"username": name, "password": PASSWORD}).status
        for name in FORMER_NAMES
    }

    assert statuses == dict.fromkeys(FORMER_NAMES, 200)


@pytest.mark.parametrize("name", ["Bruсe Lee", "X", "Irеne", "IRENE", "gοne", "0'Brien"], ids=ascii)
def test_users_of_former_releases_are_not_imitated(
    former_url: str,
    former: Sql,
    make_backend: MakeBackend,
    token_maker: TokenMaker,
    name: str,
) -> None:
    """New names may not look like one that existed before the migration."""
    user_id = former.add_user("admin", is_admin=True)
    migrate(Secret(former_url), MIGRATIONS)
    backend = make_backend(DATABASE_URL=former_url)
    backend.start()

    answer = backend.http.post(
        "/admin/users/",
        token=token_maker.token("admin", user_id=user_id, scope="admin"),
        json={"username": name, "password": PASSWORD},
    )

    assert answer.status == 409


def test_many_users_are_migrated(former_url: str, former: Sql) -> None:
    """The migration adds skeletons for more users than fit into one batch."""
    former.run(
        "INSERT INTO users (username, password_hash) "
        "SELECT translate('user ' || i, '01', 'xy'), 'hash' FROM generate_series(1, 10500) AS i"
    )

    migrate(Secret(former_url), MIGRATIONS)

    assert former.value("SELECT count(*) FROM name_skeletons") > 10_500


def test_former_release_goes_on_after_the_migration(former_url: str, former: Sql) -> None:
    """Code of the earlier release adds users while both are running."""
    migrate(Secret(former_url), MIGRATIONS)

    assert former.add_user("stephen")
