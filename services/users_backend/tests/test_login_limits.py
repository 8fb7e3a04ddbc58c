"""Logins of attackers and of others, from several addresses of this machine, for real."""

import itertools
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import psutil
import pytest

from services.users_backend.tests.conftest import MakeBackend
from testkit.http_client import Answer, HttpClient, patiently
from testkit.own_server import OwnServer, temporary_folder
from testkit.service_process import ServiceProcess
from testkit.token_maker import TokenMaker
from testkit.users_sql import PASSWORD, Sql
from testkit.waiting import repeated, wait_until
from users_backend.app import MIGRATIONS
from users_backend.guesses import ACCOUNT, OWN

pytestmark = pytest.mark.security

STRANGER = "127.0.0.2"
FREE = OWN.free


@pytest.fixture
def stranger(backend: ServiceProcess, sql: Sql) -> HttpClient:
    """A client at another address, 127.0.0.2."""
    return HttpClient(backend.http.base_url, source=STRANGER)


def log_in(
    http: HttpClient, password: str = PASSWORD, *, username: str = "bruce", device: str = ""
) -> Answer:
    """Log in, perhaps from a browser that is known."""
    body = {"username": username, "password": password}
    headers = {"X-Device-Token": device} if device else {}
    return patiently(http.post, "/api/login/", json=body, headers=headers)


def guess(http: HttpClient, times: int, **options: Any) -> list[int]:
    """The statuses of some logins with a wrong password."""
    return [log_in(http, "wrong", **options).status for _ in range(times)]


@pytest.mark.usefixtures("bruce")
def test_too_many_guesses_must_wait(http: HttpClient) -> None:
    """After five failures the next attempt is refused, with the time when it may be made."""
    failed = guess(http, FREE)
    answer = log_in(http)

    assert failed == FREE * [401]
    assert answer.status == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 10
    assert answer.headers["RateLimit-Policy"] == '"passwords";q=5;w=3000'
    assert answer.headers["RateLimit"].startswith('"passwords";r=0;t=')
    assert answer.json()["detail"] == (
        "There have been too many attempts. Please wait before the next one."
    )


@pytest.mark.usefixtures("bruce")
def test_refused_attempts_do_not_count(http: HttpClient) -> None:
    """Asking again while one must wait makes the wait no longer."""
    guess(http, FREE)

    assert guess(http, 20) == 20 * [429]
    assert int(log_in(http).headers["Retry-After"]) <= 10


@pytest.mark.usefixtures("bruce")
def test_limits_do_not_reveal_who_exists(http: HttpClient) -> None:
    """A name that nobody has gets the same words, status and limits, at each attempt."""
    answers = {}
    for username in ("bruce", "nobody"):
        answers[username] = [log_in(http, "x", username=username) for _ in range(FREE + 2)]

    assert [_seen(answer) for answer in answers["bruce"]] == [
        _seen(answer) for answer in answers["nobody"]
    ]


def _seen(answer: Answer) -> tuple[object, ...]:
    body = {name: value for name, value in answer.json().items() if name != "request_id"}
    return answer.status, body, sorted(answer.headers.keys()), answer.headers["RateLimit-Policy"]


@pytest.mark.usefixtures("bruce")
@pytest.mark.parametrize("spellings", [["bruce", "BRUCE", " bruce ", "ｂruce", "Bruce"]])
def test_spellings_of_a_name_count_together(http: HttpClient, spellings: list[str]) -> None:
    """Case, spaces and form of a name give no further guesses, whether or not somebody has it."""
    for name in ("", "x"):
        failed = [log_in(http, "x", username=name + typed.strip()) for typed in spellings]

        assert [answer.status for answer in failed] == FREE * [401]
        assert log_in(http, "x", username=f"{name}bruce").status == 429


def test_right_passwords_are_limited(http: HttpClient, bruce: str, sql: Sql) -> None:
    """After a thousand at once their user must wait, who could fill the table of the audit log."""
    sql.add_user("stephen")
    change = {"password": PASSWORD, "new_password": "be water, my friend"}
    log_in(http)
    # As after 999 of them, half a minute ago.
    seconds = (ACCOUNT.free - 1) * ACCOUNT.forget_seconds - 30
    sql.run("UPDATE guesses SET forgotten_at = now() + $1 * interval '1 second'", seconds)
    last = log_in(http)
    refused = [log_in(http), http.post("/api/me/password/", token=bruce, json=change)]

    assert [last.status, *(answer.status for answer in refused)] == [200, 429, 429]
    assert refused[0].headers["RateLimit-Policy"] == '"accounts";q=1000;w=43000'
    assert int(refused[0].headers["Retry-After"]) <= 10
    assert log_in(http, "wrong").status == 401
    assert log_in(http, username="stephen").status == 200
    assert [event for event, *_ in sql.audited()] == ["login", "login", "login failed", "login"]


def test_changes_of_the_password_count_with_the_logins(
    http: HttpClient, bruce: str, sql: Sql
) -> None:
    """Each change is an entry in the audit log, as each login is."""
    change = {"password": PASSWORD, "new_password": "be water, my friend"}
    log_in(http)
    before = sql.value("SELECT forgotten_at FROM guesses")
    http.post("/api/me/password/", token=bruce, json=change)

    counted = sql.value("SELECT forgotten_at FROM guesses") - before
    assert counted.seconds == ACCOUNT.forget_seconds


@pytest.mark.usefixtures("bruce")
def test_stranger_locks_nobody_out(http: HttpClient, stranger: HttpClient) -> None:
    """While a stranger must wait, the user logs in from another address."""
    guess(stranger, FREE + 3)

    assert log_in(stranger).status == 429
    assert log_in(http).status == 200


@pytest.mark.usefixtures("bruce")
def test_many_strangers_lock_nobody_out(backend: ServiceProcess, http: HttpClient) -> None:
    """Guesses from 60 addresses keep the user out at no other address."""
    for number in range(2, 62):
        guess(HttpClient(backend.http.base_url, source=f"127.0.1.{number}"), 2)

    assert log_in(http).status == 200


@pytest.mark.usefixtures("bruce")
def test_name_under_attack_allows_an_address_one_guess(backend: ServiceProcess, sql: Sql) -> None:
    """Once many addresses were wrong about a name, each further one has one guess."""
    for number in range(2, 62):
        guess(HttpClient(backend.http.base_url, source=f"127.0.1.{number}"), 1)
    further = HttpClient(backend.http.base_url, source="127.0.2.1")

    assert guess(further, 2) == [401, 429]
    assert log_in(further, "wrong", username="stephen").status == 401


@pytest.mark.usefixtures("bruce")
def test_known_browser_is_not_kept_out(stranger: HttpClient, sql: Sql) -> None:
    """A browser that has logged in before gets in, even beside the stranger."""
    device = log_in(stranger).json()["device_token"]
    guess(stranger, FREE + 1)

    assert log_in(stranger).status == 429
    answer = log_in(stranger, device=device)
    assert (answer.status, answer.json()["device_token"]) == (200, device)


@pytest.mark.usefixtures("bruce")
def test_known_browser_has_its_own_count(http: HttpClient) -> None:
    """An attacker with a browser's token guesses no more than others, and hinders nobody."""
    device = log_in(http).json()["device_token"]

    assert guess(http, FREE + 1, device=device) == FREE * [401] + [429]
    assert log_in(http).status == 200


@pytest.mark.usefixtures("bruce")
def test_browser_of_one_user_helps_with_no_other(http: HttpClient, sql: Sql) -> None:
    """The token of one's own browser gives no guesses at somebody else's password."""
    sql.add_user("stephen")
    device = log_in(http, username="stephen").json()["device_token"]
    guess(http, FREE)

    assert log_in(http, "wrong", device=device).status == 429
    assert log_in(http, device=device).status == 429


@pytest.mark.usefixtures("bruce")
@pytest.mark.parametrize("device", ["x", 43 * "a", "a" * 5000, "é" * 43, 43 * "a" + ","])
def test_made_up_tokens_help_with_nothing(http: HttpClient, device: str) -> None:
    """A token that no login has answered is as good as none, and a new one is answered."""
    answer = log_in(http, device=device.encode().decode("latin-1"))

    assert answer.status == 200
    assert answer.json()["device_token"] != device
    assert guess(http, FREE + 1, device=device.encode().decode("latin-1"))[-1] == 429


def test_tokens_of_browsers_are_stored_as_hashes(http: HttpClient, bruce: str, sql: Sql) -> None:
    """The table has SHA-256 hashes, of the last 20 browsers of a user."""
    tokens = [log_in(http).json()["device_token"] for _ in range(22)]

    assert sql.value("SELECT count(*) FROM browsers") == 20
    stored = sql.run("SELECT 1 FROM browsers WHERE token_hash = sha256($1)", tokens[-1].encode())
    assert len(stored) == 1
    assert not sql.run("SELECT 1 FROM browsers WHERE token_hash = sha256($1)", tokens[0].encode())


@pytest.mark.usefixtures("bruce")
def test_right_password_forgets_the_mistakes(http: HttpClient) -> None:
    """Mistakes before a successful login do not count any more."""
    for _ in range(3):
        assert guess(http, FREE - 1) == (FREE - 1) * [401]
        assert log_in(http).status == 200


def test_own_login_does_not_hide_guesses_at_others(http: HttpClient, sql: Sql) -> None:
    """Trying many names is slowed down, even if a login to one's own account succeeds."""
    for name in ("bruce", *(f"user{number}" for number in range(25))):
        sql.add_user(name)
    statuses = []
    for number in range(25):
        statuses.append(log_in(http, "wrong", username=f"user{number}").status)
        if number == 15:
            assert log_in(http).status == 200

    assert statuses == 20 * [401] + 5 * [429]
    assert log_in(http, username="user24").status == 429


@pytest.mark.usefixtures("bruce")
def test_replicas_count_together(backend: ServiceProcess, make_backend: MakeBackend) -> None:
    """Five guesses spread over two processes are five."""
    other = make_backend()
    other.start()
    replicas = itertools.cycle([backend.http, other.http])
    statuses = [log_in(next(replicas), "wrong").status for _ in range(FREE)]

    assert statuses == FREE * [401]
    assert [log_in(next(replicas)).status for _ in range(2)] == [429, 429]


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/api/me/password/"), ("DELETE", "/api/me/")]
)
def test_session_has_few_guesses(
    http: HttpClient, bruce: str, sql: Sql, token_maker: TokenMaker, method: str, path: str
) -> None:
    """An attacker with a token guesses the password no faster, and hinders no other session."""
    body = {"password": "wrong"}
    if method == "POST":
        body["new_password"] = "be water, my friend"
    statuses = [http.request(method, path, token=bruce, json=body).status for _ in range(FREE + 1)]
    user_id = sql.value("SELECT id FROM users WHERE username = 'bruce'")
    session_id = str(sql.add_session(user_id))
    other = token_maker.token("bruce", user_id=user_id, sid=session_id)

    assert statuses == FREE * [403] + [429]
    right = body | {"password": PASSWORD}
    assert http.request(method, path, token=other, json=right).status == 204


@pytest.mark.usefixtures("bruce")
def test_failures_are_in_the_audit_log(stranger: HttpClient, sql: Sql) -> None:
    """Each failed login is recorded, with the name as typed, the address and the request's id."""
    log_in(stranger, "wrong")
    long = log_in(stranger, "wrong", username="né" * 100)
    guess(stranger, FREE)

    rows = sql.run("SELECT event, actor, address, request_id FROM audit ORDER BY id")
    assert [tuple(row)[:3] for row in rows] == [
        ("login failed", "bruce", STRANGER),
        ("login failed", "né" * 100, STRANGER),
        *((FREE - 1) * [("login failed", "bruce", STRANGER)]),
    ]
    assert rows[1]["request_id"] == long.headers["X-Request-ID"]


@pytest.mark.usefixtures("bruce")
def test_flood_from_one_address_stops_nobody(
    backend: ServiceProcess, http: HttpClient, admin: str, bruce: str
) -> None:
    """While 60 connections from one address guess, others log in, and users do what they may."""
    names = itertools.count()
    flooder = HttpClient(backend.http.base_url, source=STRANGER)

    def flood() -> int:
        return log_in(flooder, "wrong", username=f"user{next(names)}").status

    with repeated(flood, threads=60) as flooded:
        wait_until(lambda: len(flooded) > 200)
        logins = [log_in(http).status for _ in range(20)]
        created = http.post(
            "/admin/users/", token=admin, json={"username": "zoe", "password": "be water, friend"}
        )
        change = {"password": PASSWORD, "new_password": "be water, my friend"}
        changed = http.post("/api/me/password/", token=bruce, json=change)

    assert logins == 20 * [200]
    assert (created.status, changed.status) == (201, 204)
    assert set(flooded) == {401, 429}
    assert flooded.count(401) < 40


def test_registrations_from_one_address_are_limited(make_backend: MakeBackend, sql: Sql) -> None:
    """After ten registrations an address must wait, and another does not."""
    backend = make_backend(REGISTRATION="open")
    backend.start()
    names = itertools.count()

    def register(source: str) -> int:
        client = HttpClient(backend.http.base_url, source=source)
        body = {"username": f"user{next(names)}", "password": "be water, my friend"}
        return client.post("/api/users/", json=body).status

    assert [register(STRANGER) for _ in range(11)] == [*(10 * [201]), 429]
    assert register("127.0.0.3") == 201


def test_client_that_gives_up_frees_its_place(backend: ServiceProcess, sql: Sql) -> None:
    """Requests whose connections are closed while they wait are dropped, and others served."""
    body = b'{"username": "x", "password": "wrong"}'
    request = (
        b"POST /api/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    )

    def give_up() -> object:
        with ExitStack() as closing:
            for _ in range(8):
                closing.enter_context(backend.http.connection()).sendall(request)
        return backend.lines("request", status=499)

    wait_until(give_up)
    wait_until(lambda: log_in(backend.http, "wrong", username="y").status == 401)


@pytest.fixture
def own() -> Iterator[OwnServer]:
    """A PostgreSQL server of this test's own."""
    with temporary_folder() as folder:
        own = OwnServer(folder, MIGRATIONS)
        yield own
        own.remove()


def test_crash_of_the_database_only_forgets(own: OwnServer, make_backend: MakeBackend) -> None:
    """After a crash of PostgreSQL nothing is counted any more, and logins work."""
    backend = make_backend(DATABASE_URL=own.url)
    backend.start()
    guess(backend.http, FREE)
    before = log_in(backend.http, "wrong").status
    for process in psutil.Process(own.server.process.pid).children(recursive=True):
        process.send_signal(signal.SIGKILL)
        break
    wait_until(lambda: backend.http.get("/readyz").status == 200)

    def status() -> int:
        return log_in(backend.http, "wrong").status

    wait_until(lambda: status() != 503)
    assert before == 429
    assert status() == 401
