"""Registration: whether and how people create accounts for themselves."""

from collections.abc import Iterator

import pytest

from testkit.command import run_command
from testkit.http_client import HttpClient
from testkit.service_process import ServiceProcess
from testkit.users_sql import PASSWORD, Sql

ZOE = {"username": "Zoë", "password": PASSWORD}


@pytest.fixture(scope="module")
def open_backend(
    backend_settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServiceProcess]:
    """A backend whose registration is open."""
    settings = backend_settings | {"REGISTRATION": "open"}
    backend = ServiceProcess("users_backend", settings, folder=tmp_path_factory.mktemp("open"))
    backend.start()
    yield backend
    backend.stop()


@pytest.fixture
def open_http(open_backend: ServiceProcess, sql: Sql) -> HttpClient:
    """A client of the open backend, whose tables are empty."""
    return open_backend.http


def test_registration_is_closed_at_first(http: HttpClient, sql: Sql) -> None:
    """Without a setting nobody can register: 403, and no user is stored."""
    answer = http.post("/api/users/", json=ZOE)

    assert answer.status == 403
    assert answer.json()["detail"] == "Registration is closed. Ask an admin for an account."
    assert sql.value("SELECT count(*) FROM users") == 0


def test_closed_registration_reads_no_body(http: HttpClient) -> None:
    """While registration is closed, a body that is none gets the same 403."""
    answer = http.post("/api/users", body=b"{", headers={"Content-Type": "application/json"})

    assert answer.status == 403


@pytest.mark.parametrize("path", ["/api/users", "/api/users/"])
@pytest.mark.parametrize("kind", ["json", "form"])
def test_registered_user_logs_in(open_http: HttpClient, path: str, kind: str) -> None:
    """A newly registered user has no rights, and logs in with the chosen password."""
    answer = open_http.post(path, **{kind: ZOE})

    assert (answer.status, answer.json()["username"]) == (201, "Zoë")
    assert (answer.json()["is_admin"], answer.json()["is_disabled"]) == (False, False)
    assert open_http.post("/api/login", json=ZOE).status == 200


def test_nobody_registers_as_an_admin(open_http: HttpClient, sql: Sql) -> None:
    """Fields other than name and password have no effect."""
    body = {**ZOE, "is_admin": True, "id": 77, "must_change_password": True}

    open_http.post("/api/users", json=body)

    (row,) = sql.run("SELECT id, is_admin, must_change_password FROM users")
    assert tuple(row) == (1, False, False)


def test_taken_name_is_refused(open_http: HttpClient, sql: Sql) -> None:
    """A name that is taken, was taken by a deleted user, or looks like one of these, is a 409."""
    open_http.post("/api/users", json=ZOE | {"username": "bruce"})
    sql.add_user("gone")
    sql.run("UPDATE users SET deleted_at = now(), password_hash = NULL WHERE username = 'gone'")

    statuses = [
        open_http.post("/api/users", json=ZOE | {"username": name}).status
        for name in ("BRUCE", "bruсe", "gone")
    ]

    assert statuses == [409, 409, 409]


@pytest.mark.parametrize(
    ("fault", "fields"),
    [
        ({"username": "a  b"}, ["username"]),
        ({"password": "7 chars"}, ["password"]),
        ({"password": "password"}, ["password"]),
        ({"username": "Zorro", "password": "zorro1234"}, ["password"]),
        ({"username": "", "password": ""}, ["username", "password"]),
    ],
)
def test_unfit_name_or_password_is_refused(
    open_http: HttpClient, sql: Sql, fault: dict[str, str], fields: list[str]
) -> None:
    """The rules of names and of new passwords apply: 400, with an entry for each field."""
    answer = open_http.post("/api/users", json=ZOE | fault)

    assert (answer.status, answer.faulty_fields) == (400, fields)
    assert sql.value("SELECT count(*) FROM users") == 0


def test_registration_is_recorded(open_http: HttpClient, sql: Sql) -> None:
    """The audit log has who registered, and from where."""
    open_http.post("/api/users", json=ZOE)

    assert sql.audited() == [("user registered", "Zoë", "")]
    assert sql.value("SELECT address FROM audit") == "127.0.0.1"


def test_registrations_are_limited_by_network(open_http: HttpClient, sql: Sql) -> None:
    """After ten from one network the next is a 429 that says how long to wait."""
    answers = [
        open_http.post("/api/users", json=ZOE | {"username": f"Zoë {number}"})
        for number in range(11)
    ]

    assert [answer.status for answer in answers] == [201] * 10 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert answers[-1].json()["detail"] == (
        "There have been too many attempts. Please wait before the next one."
    )
    assert sql.value("SELECT count(*) FROM users") == 10


@pytest.mark.parametrize("value", ["", "yes"])
def test_setting_is_open_or_closed(backend_settings: dict[str, str], value: str) -> None:
    """Any other value stops the start, and is named."""
    done = run_command(backend_settings | {"REGISTRATION": value})

    assert (done.returncode, "REGISTRATION: must be open or closed" in done.stderr) == (2, True)
