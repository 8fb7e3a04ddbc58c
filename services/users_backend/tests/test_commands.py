"""The commands, run as operators run them."""

import asyncio
import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mythoughts_chassis.settings import Secret
from services.users_backend.tests.conftest import LogIn
from testkit.command import run_command, run_in_terminal
from testkit.http_client import HttpClient
from testkit.roles import service_url
from testkit.users_sql import PASSWORD, Sql
from tooling.project import ROOT
from users_backend import demo

NEW_PASSWORD = "be water, my friend"
DEMO = ROOT / "services/users_backend/demo/users.json"


def test_created_admin_logs_in_as_one(http: HttpClient, backend_settings: dict[str, str]) -> None:
    """An admin created with a password from standard input can log in and list users."""
    done = run_command(backend_settings, "create-admin", "root", stdin=PASSWORD + "\n")

    login = http.post("/api/login", json={"username": "root", "password": PASSWORD})
    token = login.json()["Authorized"].removeprefix("Bearer ")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "The admin root has been created."
    assert http.get("/admin/users", token=token).status == 200


def test_password_of_an_admin_comes_from_a_file(
    http: HttpClient, backend_settings: dict[str, str], tmp_path: Path
) -> None:
    """With --password-file the password is the file's contents without the final line break."""
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")

    run_command(backend_settings, "create-admin", "root", "--password-file", str(file))

    login = http.post("/api/login", json={"username": "root", "password": PASSWORD})
    assert login.status == 200


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (PASSWORD, "The admin root has been created."),
        ("another", "users-backend: the passwords do not match"),
    ],
)
def test_password_is_asked_for_twice_in_a_terminal(
    sql: Sql, backend_settings: dict[str, str], second: str, said: str
) -> None:
    """In a terminal the password is typed twice and not shown."""
    output = run_in_terminal(
        backend_settings, "create-admin", "root", typed={"Password: ": PASSWORD, "again: ": second}
    )

    assert output[-1] == said
    assert PASSWORD not in "".join(output)
    assert sql.value("SELECT count(*) FROM users") == (1 if second == PASSWORD else 0)


@pytest.mark.parametrize(
    ("name", "password", "reported"),
    [
        ("root", "short", "password: must have at least 8 characters"),
        ("root", "", "password: must have at least 8 characters"),
        (" root", PASSWORD, "username: must not begin or end with a space"),
        ("", PASSWORD, "username: must not be empty"),
    ],
)
def test_invalid_admin_is_refused(
    sql: Sql, backend_settings: dict[str, str], name: str, password: str, reported: str
) -> None:
    """Admins' names and passwords follow the same rules as all users'."""
    done = run_command(backend_settings, "create-admin", name, stdin=password)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"users-backend: {reported}")
    assert sql.value("SELECT count(*) FROM users") == 0


@pytest.mark.parametrize("option", [(), ("--if-missing",)], ids=["plain", "if missing"])
def test_name_of_a_user_is_refused(
    sql: Sql, backend_settings: dict[str, str], option: tuple[str, ...]
) -> None:
    """An ordinary user's name cannot be used for an admin."""
    sql.add_user("bruce")

    done = run_command(backend_settings, "create-admin", "Bruce", *option, stdin=PASSWORD)

    assert (done.returncode, done.stderr) == (2, "users-backend: This name is taken.\n")
    assert sql.value("SELECT bool_or(is_admin) FROM users") is False


def test_existing_admin_is_refused(sql: Sql, backend_settings: dict[str, str]) -> None:
    """Creating an admin again fails and changes nothing."""
    sql.add_user("root", is_admin=True)
    before = sql.hash_of_user("root")

    done = run_command(backend_settings, "create-admin", "root", stdin="another password")

    assert (done.returncode, done.stderr) == (2, "users-backend: This name is taken.\n")
    assert sql.hash_of_user("root") == before


def test_existing_admin_is_kept_on_request(sql: Sql, backend_settings: dict[str, str]) -> None:
    """With --if-missing an existing admin with this name is not changed."""
    sql.add_user("root", is_admin=True)
    before = sql.hash_of_user("root")

    done = run_command(
        backend_settings, "create-admin", "root", "--if-missing", stdin="another password"
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert sql.hash_of_user("root") == before


def test_admin_with_a_name_that_is_refused_now_is_enough(
    sql: Sql, backend_settings: dict[str, str]
) -> None:
    """With --if-missing an admin of an earlier release is not changed, whatever the name is."""
    sql.add_user("👩\u200d🚀", is_admin=True)

    done = run_command(
        backend_settings, "create-admin", "👩\u200d🚀", "--if-missing", stdin=PASSWORD
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_admin_who_looks_like_a_user_is_refused(
    http: HttpClient, admin: str, backend_settings: dict[str, str]
) -> None:
    """The command line applies the rule about look-alikes, too."""
    http.post("/admin/users/", token=admin, json={"username": "root", "password": PASSWORD})

    done = run_command(backend_settings, "create-admin", "rооt", stdin=PASSWORD)

    assert (done.returncode, done.stderr) == (
        2,
        "users-backend: This name looks too much like one that is taken.\n",
    )


def test_temporary_password_of_an_admin_must_be_changed(
    http: HttpClient, backend_settings: dict[str, str]
) -> None:
    """With --must-change-password the first login has to bring another password."""
    run_command(backend_settings, "create-admin", "root", "--must-change-password", stdin=PASSWORD)

    root = {"username": "root", "password": PASSWORD}
    statuses = [
        http.post("/api/login", json=body).status
        for body in (root, root | {"new_password": "be water, my friend"})
    ]
    assert statuses == [403, 200]


@pytest.mark.parametrize("command", ["create-admin", "reset-password"])
@pytest.mark.parametrize("password", ["7 chars", "password", "bruce2026"])
def test_bad_password_is_refused(
    sql: Sql, backend_settings: dict[str, str], command: str, password: str
) -> None:
    """The rules of new passwords apply on the command line, which says what is wrong."""
    sql.add_user("bruce")
    name = {"create-admin": "bruce 2", "reset-password": "bruce"}[command]
    before = sql.run("SELECT * FROM users")

    done = run_command(backend_settings, command, name, stdin=password)

    assert (done.returncode, done.stderr.startswith("users-backend: password: ")) == (2, True)
    assert sql.run("SELECT * FROM users") == before


@pytest.mark.parametrize(
    ("command", "stdin", "problem"),
    [
        (("create-admin", "root"), "secret \udcff\n", "the password is not UTF-8 text"),
        (
            ("reset-password", "bruce", "--password-file", "FILE"),
            "",
            "the password is not UTF-8 text",
        ),
        (("create-admin", "ro\udcff"), PASSWORD, "argument name: it is not UTF-8 text"),
        (("list-users", "ro\udcff"), "", "argument search: it is not UTF-8 text"),
    ],
)
def test_bytes_that_are_not_utf_8_are_refused(
    sql: Sql,
    backend_settings: dict[str, str],
    tmp_path: Path,
    command: tuple[str, ...],
    stdin: str,
    problem: str,
) -> None:
    """A password, name or search that is not UTF-8 is refused, without showing any of it."""
    sql.add_user("bruce")
    before = sql.run("SELECT * FROM users")
    file = tmp_path / "password"
    file.write_bytes(b"secret \xff\n")

    done = run_command(
        backend_settings, *(str(file) if word == "FILE" else word for word in command), stdin=stdin
    )

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith(f": {problem}")
    assert "Traceback" not in done.stderr
    assert sql.run("SELECT * FROM users") == before


def test_password_is_reset(http: HttpClient, bruce: str, backend_settings: dict[str, str]) -> None:
    """A new password ends the sessions, must be changed at the next login, and is recorded."""
    done = run_command(backend_settings, "reset-password", "BRUCE", stdin=NEW_PASSWORD)

    statuses = [
        http.post("/api/login", json={"username": "bruce", "password": password}).status
        for password in (PASSWORD, NEW_PASSWORD)
    ]
    assert (done.returncode, done.stderr) == (0, "")
    assert (statuses, http.get("/api/me", token=bruce).status) == ([401, 403], 401)


def test_commands_are_recorded(sql: Sql, backend_settings: dict[str, str]) -> None:
    """What is done on the command line is in the audit log, under its name."""
    run_command(backend_settings, "create-admin", "root", stdin=PASSWORD)
    run_command(backend_settings, "reset-password", "root", stdin=NEW_PASSWORD)

    assert sql.audited() == [
        ("user created", "command line", "root"),
        ("password reset", "command line", "root"),
    ]
    assert sql.value("SELECT DISTINCT address FROM audit") == "command line"


@pytest.mark.usefixtures("sql")
def test_commands_print_one_sentence(backend_settings: dict[str, str]) -> None:
    """What they have done, and no log lines."""
    created = run_command(backend_settings, "create-admin", "root", stdin=PASSWORD)
    reset = run_command(backend_settings, "reset-password", "root", stdin=NEW_PASSWORD)

    assert created.stdout == "The admin root has been created.\n"
    assert reset.stdout == "root has a new password, and must change it at the next login.\n"


@pytest.mark.parametrize(("options", "is_disabled"), [((), True), (("--enable",), False)])
def test_reset_enables_only_if_asked_to(
    sql: Sql, backend_settings: dict[str, str], options: tuple[str, ...], *, is_disabled: bool
) -> None:
    """A disabled admin who is locked out is enabled by --enable, not by a reset alone."""
    sql.add_user("root", is_admin=True)
    sql.run("UPDATE users SET disabled_at = now()")

    done = run_command(backend_settings, "reset-password", "root", *options, stdin=NEW_PASSWORD)

    assert done.returncode == 0
    assert sql.value("SELECT disabled_at IS NOT NULL FROM users") is is_disabled


def test_reset_of_nobody_is_an_error(sql: Sql, backend_settings: dict[str, str]) -> None:
    """A name that nobody has is an error."""
    done = run_command(backend_settings, "reset-password", "nobody", stdin=NEW_PASSWORD)

    assert (done.returncode, done.stderr) == (2, "users-backend: there is no user nobody\n")


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        ((), ["4\t小明", "3\tann\tdisabled", "2\troot\tadmin, disabled", "1\tadmin\tadmin"]),
        (("--admins",), ["2\troot\tadmin, disabled", "1\tadmin\tadmin"]),
        (("AN",), ["3\tann\tdisabled"]),
        (("nobody",), []),
    ],
)
def test_users_are_listed(
    sql: Sql, backend_settings: dict[str, str], options: tuple[str, ...], lines: list[str]
) -> None:
    """`list-users` shows ids, names, and who is an admin or disabled; deleted ones it does not."""
    for name, is_admin in (("admin", True), ("root", True), ("ann", False), ("小明", False)):
        sql.add_user(name, is_admin=is_admin)
    sql.run("UPDATE users SET disabled_at = now() WHERE id IN (2, 3)")
    sql.add_user("gone")
    sql.run("UPDATE users SET deleted_at = now(), password_hash = NULL WHERE username = 'gone'")

    done = run_command(backend_settings, "list-users", *options)

    assert (done.stdout.splitlines(), done.stderr) == (lines, "")


def test_long_list_of_users_is_complete(sql: Sql, backend_settings: dict[str, str]) -> None:
    """The list also has those who do not fit a page of the API."""
    sql.run(
        "INSERT INTO users (username, password_hash) "
        "SELECT 'user ' || i, 'hash' FROM generate_series(1, 250) i"
    )

    assert len(run_command(backend_settings, "list-users").stdout.splitlines()) == 250


@pytest.mark.parametrize("command", [("create-admin", "root"), ("migrate",)])
def test_unavailable_database_is_reported(
    backend_settings: dict[str, str], command: tuple[str, ...]
) -> None:
    """Without its database the last line of a command says why, without a traceback."""
    settings = backend_settings | {"DATABASE_URL": "postgresql://nobody:x@127.0.0.1:1/users"}

    done = run_command(settings, *command, stdin=PASSWORD)

    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    last_line = done.stderr.splitlines()[-1]
    assert "the database " in last_line
    assert "Connect call failed" in last_line


def test_missing_settings_are_all_named() -> None:
    """Startup without settings names all missing ones."""
    done = run_command({})

    assert done.returncode == 2
    assert {line.split(": ")[1] for line in done.stderr.splitlines()} == {
        "DATABASE_URL",
        "TOKEN_PRIVATE_KEYS_PATH",
        "TOKEN_PUBLIC_KEYS_PATH",
    }


def test_three_migrations_at_once_make_one_schema(
    new_database: Callable[[], str], backend_settings: dict[str, str]
) -> None:
    """Replicas that start together can all migrate: one does it, the others wait."""
    url = new_database()
    urls = {"DATABASE_URL": service_url(url), "MIGRATIONS_DATABASE_URL": url}
    settings = backend_settings | urls

    with ThreadPoolExecutor(3) as pool:
        done = list(
            pool.map(run_command, itertools.repeat(settings, 3), itertools.repeat("migrate"))
        )

    assert [(one.returncode, one.stderr) for one in done] == [(0, "")] * 3
    with asyncio.Runner() as runner, Sql(runner, url) as sql:
        assert sql.value("SELECT count(*) FROM alembic_version") == 1
        assert sql.value("SELECT count(*) FROM users") == 0


@pytest.mark.parametrize("option", [(), ("--wait",)], ids=["plain", "wait"])
def test_migration_of_a_migrated_database_keeps_its_users(
    sql: Sql, owner_settings: dict[str, str], option: tuple[str, ...]
) -> None:
    """Migrating again changes nothing."""
    sql.add_user("bruce")

    done = run_command(owner_settings, "migrate", *option)

    assert done.returncode == 0
    assert sql.value("SELECT count(*) FROM users") == 1


def test_demonstration_users_log_in_with_their_names(
    http: HttpClient, owner_settings: dict[str, str]
) -> None:
    """`load-demo` creates users whose passwords are their names."""
    run_command(owner_settings, "load-demo", "--file", str(DEMO))

    logins = [
        http.post("/api/login", json={"username": name, "password": name}).status
        for name in ("bruce", "stephen", "小明")
    ]
    assert logins == [200, 200, 200]


def test_invalid_demonstration_data_is_named(
    backend_settings: dict[str, str], tmp_path: Path
) -> None:
    """The last line says in which file, and what is wrong with it."""
    file = tmp_path / "users.json"
    file.write_text('[{"id": 1}]')

    done = run_command(backend_settings, "load-demo", "--file", str(file))

    assert done.returncode == 2
    assert f"{file}: Object missing required field" in done.stderr.splitlines()[-1]


def load_demo(url: str) -> None:
    """Load the demonstration users."""
    asyncio.run(demo.load_demo(Secret(url), DEMO.read_bytes()))


def test_demonstration_users_are_loaded_once(sql: Sql, database_url: str) -> None:
    """Loading them again does nothing."""
    load_demo(database_url)
    before = sql.run("SELECT * FROM users")

    load_demo(database_url)

    assert sql.run("SELECT * FROM users") == before


def test_demonstration_users_come_to_no_others(sql: Sql, database_url: str) -> None:
    """If there is any user, none is added."""
    sql.add_user("somebody")

    load_demo(database_url)

    assert sql.value("SELECT count(*) FROM users") == 1


def test_demonstration_users_are_not_imitated(
    http: HttpClient, sql: Sql, database_url: str, log_in_by_sql: LogIn
) -> None:
    """Names that look like a demonstration user's are rejected."""
    load_demo(database_url)
    sql.run("UPDATE users SET is_admin = true WHERE username = 'priya'")
    token = log_in_by_sql("priya", 7, scope="admin")

    answer = http.post(
        "/admin/users/", token=token, json={"username": "bruсe", "password": PASSWORD}
    )

    assert answer.status == 409


def test_users_after_the_demonstration_get_new_ids(sql: Sql, database_url: str) -> None:
    """New ids continue after those of the demonstration users."""
    load_demo(database_url)
    last = sql.value("SELECT max(id) FROM users")

    assert sql.add_user("somebody") == last + 1
