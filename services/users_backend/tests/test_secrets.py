"""Logs after an error in any handler that receives a secret: they never contain it."""

import asyncio
from collections.abc import Callable, Iterator

import argon2
import pytest

from services.users_backend.tests.conftest import MakeBackend
from testkit.command import run_command
from testkit.http_client import HttpClient
from testkit.roles import migrate_with_roles
from testkit.token_maker import TokenMaker
from testkit.users_sql import PASSWORD as KNOWN_PASSWORD
from testkit.users_sql import Sql
from users_backend.app import MIGRATIONS

PASSWORD = "open-sesame"
NEW_PASSWORD = "close-sesame"

FAULTS = {
    "no column": ["ALTER TABLE users RENAME password_hash TO gone"],
    # PostgreSQL's message shows the rejected row.
    "refused row": ["ALTER TABLE users ADD CHECK (password_hash = 'none') NOT VALID"],
    # asyncpg's message shows the value that it cannot send.
    "other type": ["ALTER TABLE users ALTER password_hash TYPE bytea USING password_hash::bytea"],
    "raised message": [
        """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'refused: %', NEW; END $$""",
        """CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON users
        FOR EACH ROW EXECUTE FUNCTION refuse()""",
    ],
    "no table": ["DROP TABLE users CASCADE"],
}


@pytest.fixture
def own_url(new_database: Callable[[], str]) -> str:
    """The address of a migrated database that the test may damage."""
    url = new_database()
    migrate_with_roles(url, MIGRATIONS)
    return url


@pytest.fixture
def own_sql(own_url: str) -> Iterator[Sql]:
    """A connection to it."""
    with asyncio.Runner() as runner, Sql(runner, own_url) as sql:
        yield sql


def outdated_hash() -> str:
    """A password hash that a login replaces."""
    return argon2.PasswordHasher(1, 8, 1).hash(PASSWORD)


def send_secrets(http: HttpClient, token: str, admin: str) -> list[int]:
    """Send all requests with a secret; return the statuses."""
    login = {"username": "bruce", "password": PASSWORD}
    change = {"password": PASSWORD, "new_password": NEW_PASSWORD}
    user = {"username": "carl", "password": NEW_PASSWORD}
    answers = [
        http.post("/api/login/", json=login),
        http.post("/api/login/", form=login),
        http.post("/api/me/password/", token=token, json=change),
        http.get("/api/me/", token=token),
        http.post("/admin/users/", token=admin, json=user),
        http.get("/admin/users/", token=admin),
        http.delete("/admin/users/77/", token=admin),
    ]
    return [answer.status for answer in answers]


@pytest.mark.parametrize("output", ["json", "console"])
@pytest.mark.parametrize("fault", FAULTS)
def test_fault_shows_no_secret(
    make_backend: MakeBackend,
    token_maker: TokenMaker,
    own_url: str,
    own_sql: Sql,
    fault: str,
    output: str,
) -> None:
    """Whatever fails, no password, hash or part of a token appears in the service's output."""
    stored = outdated_hash()
    bruce = token_maker.token("bruce", user_id=own_sql.add_user("bruce", password_hash=stored))
    admin_id = own_sql.add_user("admin", is_admin=True, password_hash=stored)
    admin = token_maker.token("admin", user_id=admin_id, scope="admin")
    backend = make_backend(DATABASE_URL=own_url, LOG_FORMAT=output, LOG_LEVEL="debug")
    http = backend.start_in_any_form()
    for statement in FAULTS[fault]:
        own_sql.run(statement)

    statuses = send_secrets(http, bruce, admin)
    backend.stop()

    written = "\n".join(backend.output)
    secrets = (PASSWORD, NEW_PASSWORD, "$argon2", stored, *bruce.split("."), *admin.split("."))
    assert max(statuses) >= 500
    assert "Error" in written
    assert [secret for secret in secrets if secret in written] == []


@pytest.mark.parametrize("fault", ["refused row", "other type", "raised message"])
def test_command_shows_no_secret(
    backend_settings: dict[str, str], own_url: str, own_sql: Sql, fault: str
) -> None:
    """A command rejected by the database says so without the row."""
    for statement in FAULTS[fault]:
        own_sql.run(statement)

    settings = backend_settings | {"DATABASE_URL": own_url, "LOG_FORMAT": "console"}
    done = run_command(settings, "create-admin", "admin", stdin=f"{PASSWORD}\n")

    written = done.stdout + done.stderr
    assert done.returncode != 0
    assert [secret for secret in (PASSWORD, "$argon2") if secret in written] == []


@pytest.mark.parametrize("output", ["json", "console"])
@pytest.mark.parametrize("spoil", [lambda text: text[:-9], lambda text: text.replace('"n"', '"m"')])
def test_broken_key_file_shows_no_key(
    make_backend: MakeBackend,
    own_keys: TokenMaker,
    sql: Sql,
    spoil: Callable[[str], str],
    output: str,
) -> None:
    """A key file damaged while the service runs is logged without its contents."""
    sql.add_user("bruce")
    backend = make_backend(
        TOKEN_PRIVATE_KEYS_PATH=str(own_keys.private_path),
        TOKEN_PUBLIC_KEYS_PATH=str(own_keys.public_path),
        LOG_FORMAT=output,
    )
    http = backend.start_in_any_form()
    key = own_keys.private_key
    own_keys.private_path.write_text(spoil(own_keys.private_path.read_text()))

    answer = http.post("/api/login/", json={"username": "bruce", "password": KNOWN_PASSWORD})
    backend.stop()

    written = "\n".join(backend.output)
    assert answer.status == 200
    assert "keys not read" in written
    assert [name for name in ("d", "p", "q", "dp", "dq", "qi") if str(key[name]) in written] == []
