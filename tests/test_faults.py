"""What API clients notice when a part of the system stops, dies, or changes its keys."""

import re
import time
from collections.abc import Callable, Sequence

import pytest

from testkit.http_client import CONNECTION_ERRORS, HttpClient, patiently
from testkit.installations import Installation
from testkit.system import System, User, unique
from testkit.thoughts import own_texts, share
from testkit.waiting import repeated, wait_until

pytestmark = pytest.mark.faults

WRITERS = 4
# What a client waits after a connection that failed.
PAUSE_SECONDS = 0.02


def sharing(client: HttpClient) -> Callable[[], str | None]:
    """An action that shares a new thought: its text if the backend confirmed it, else None."""

    def share_one() -> str | None:
        text = unique("written")
        try:
            answer = client.post("/api/me/thoughts/", json={"text": text})
        except CONNECTION_ERRORS:
            time.sleep(PAUSE_SECONDS)
            return None
        return text if answer.status == 201 else None

    return share_one


def wait_for_more(results: Sequence[str | None]) -> None:
    """Wait until some more thoughts have been confirmed."""
    enough = len(confirmed(results)) + 20
    wait_until(lambda: len(confirmed(results)) >= enough, what="thoughts are confirmed")


def confirmed(results: Sequence[str | None]) -> set[str]:
    """The texts that the backend confirmed."""
    return {text for text in list(results) if text is not None}


def status_of(client: HttpClient, path: str, *, patient: bool = False) -> int | str:
    """The status of an answer, or what became of the connection instead."""
    try:
        return (patiently(client.get, path) if patient else client.get(path)).status
    except CONNECTION_ERRORS as error:
        return type(error).__name__


def test_token_works_without_the_users_backend(
    installation: Installation, own_system: System
) -> None:
    """With the Users Backend stopped, a user shares with a token that was got before."""
    user = own_system.new_user()

    installation.stop("users")

    share(own_system.thoughts(user), unique("Still writing"))
    assert status_of(own_system.users(), "/api/me/") == "ConnectionRefusedError"


def test_no_request_fails_while_keys_are_rotated(
    installation: Installation, own_system: System
) -> None:
    """Tokens old and new are good for both backends at every moment of two rotations."""
    old = own_system.new_user()

    def use_tokens() -> set[int | str]:
        # Not a login: those of an account are limited.
        renewal = patiently(own_system.users(old).post, "/api/me/token/")
        token = renewal.json()["Authorized"].removeprefix("Bearer ")
        new = User(old.id, old.username, old.password, token)
        return {
            status_of(client, path, patient=True)
            for user in (old, new)
            for client, path in (
                (own_system.thoughts(user), "/api/me/thoughts/"),
                (own_system.users(user), "/api/me/"),
            )
        }

    with repeated(use_tokens, threads=3) as results:
        for _ in range(2):
            installation.rotate_keys()
            enough = len(results) + 10
            wait_until(lambda: len(results) >= enough, what="tokens are used")  # noqa: B023
            own_system.log_in(old.username, old.password)

    assert set().union(*results) == {200}


def test_new_tokens_carry_the_new_key(installation: Installation, own_system: System) -> None:
    """After a rotation the Users Backend publishes one key more, without a restart."""
    before = own_system.users().get("/.well-known/jwks.json").json()["keys"]

    installation.rotate_keys()

    after = own_system.users().get("/.well-known/jwks.json").json()["keys"]
    assert after[1:] == before


@pytest.mark.parametrize(
    ("service", "path"), [("thoughts", "/api/me/thoughts/"), ("users", "/api/me/")]
)
def test_token_of_a_removed_key_stops_working(
    installation: Installation, own_system: System, service: str, path: str
) -> None:
    """When an operator drops the old keys, tokens that they signed are refused within seconds."""
    user = own_system.new_user()
    client = own_system.client(service, user)
    before = client.get(path).status

    installation.rotate_keys("--drop-old")

    wait_until(lambda: client.get(path).status == 401, what="the old token is refused")
    assert before == 200


def test_killed_backend_loses_no_confirmed_thought(
    installation: Installation, own_system: System
) -> None:
    """What the Thoughts Backend confirmed before it was killed is there when it is back."""
    writer = own_system.thoughts(own_system.new_user())

    with repeated(sharing(writer), threads=WRITERS) as results:
        wait_for_more(results)
        installation.kill("thoughts")
        installation.restart("thoughts")
        wait_for_more(results)

    assert confirmed(results) <= set(own_texts(writer))


def test_restarted_database_loses_no_confirmed_thought(
    installation: Installation, own_system: System
) -> None:
    """What was confirmed before PostgreSQL restarted is there, and writing works after it."""
    writer = own_system.thoughts(own_system.new_user())

    with repeated(sharing(writer), threads=WRITERS) as results:
        wait_for_more(results)
        installation.stop_database()
        installation.start_database()
        wait_for_more(results)

    assert confirmed(results) <= set(own_texts(writer))


@pytest.mark.unbalanced
def test_readers_get_an_answer_while_the_database_restarts(
    installation: Installation, own_system: System
) -> None:
    """Each read is answered, or told to come back later, and reading recovers by itself."""
    reader = own_system.thoughts()

    with repeated(lambda: status_of(reader, "/api/thoughts/"), threads=WRITERS) as statuses:
        wait_until(lambda: 200 in statuses, what="reading works")
        installation.stop_database()
        wait_until(lambda: 503 in statuses, what="reading is refused")
        installation.start_database()
        missed = len(statuses)
        wait_until(lambda: 200 in statuses[missed:], what="reading works again")

    assert set(statuses) == {200, 503}


@pytest.mark.parametrize("service", ["thoughts", "users"])
def test_backend_without_its_database_is_unready_and_not_restarted(
    installation: Installation, service: str
) -> None:
    """Without PostgreSQL the same process keeps running, unready; with it again, it is ready."""
    lives = installation.lives_of(service)

    installation.stop_database()

    wait_until(lambda: not installation.is_ready(service), what="the backend is unready")
    installation.start_database()
    wait_until(lambda: installation.is_ready(service), what="the backend is ready again")
    assert installation.lives_of(service) == lives


@pytest.mark.unbalanced
def test_refusal_without_the_database_says_when_to_come_back(
    installation: Installation, own_system: System
) -> None:
    """Both backends answer a problem with status 503 and Retry-After."""
    installation.stop_database()

    credentials = {"username": "nobody", "password": "nothing"}
    refusals = [
        own_system.thoughts().get("/api/thoughts/"),
        own_system.users().post("/api/login/", json=credentials),
    ]

    assert [refusal.status for refusal in refusals] == [503, 503]
    assert all(int(refusal.headers["Retry-After"]) > 0 for refusal in refusals)
    assert all(refusal.json()["status"] == 503 for refusal in refusals)


def test_restarted_backend_stores_each_thought_once(
    installation: Installation, own_system: System
) -> None:
    """A client that tries again with its Idempotency-Key has each thought stored exactly once."""
    writer = own_system.thoughts(own_system.new_user())
    refusals: set[int] = set()

    def share_until_confirmed() -> str:
        text = unique("once")
        while True:
            try:
                answer = writer.post(
                    "/api/me/thoughts/",
                    json={"text": text},
                    headers={"Idempotency-Key": text.replace(" ", "-")},
                )
            except CONNECTION_ERRORS:
                time.sleep(PAUSE_SECONDS)
                continue
            if answer.status == 201:
                return text
            refusals.add(answer.status)

    with repeated(share_until_confirmed, threads=WRITERS) as results:
        for _ in range(2):
            wait_for_more(results)
            installation.restart("thoughts")
        wait_for_more(results)

    assert sorted(own_texts(writer)) == sorted(results)
    # The first try may still be under way when the second comes.
    assert refusals <= {409, 503}


def test_request_id_travels_to_the_backend(installation: Installation, own_system: System) -> None:
    """The id that a browser's request came with stands in the log line of the Thoughts Backend."""
    request_id = unique("id").replace(" ", "-")
    trace_parent = f"00-{request_id.removeprefix('id-'):0>32}-00f067aa0ba902b7-01"
    headers = {"X-Request-ID": request_id, "traceparent": trace_parent}

    answer = HttpClient(own_system.frontend_url).get("/search", headers=headers)

    wait_until(lambda: request_id in installation.log_of("thoughts"), what="the request is logged")
    log = installation.log_of("thoughts").splitlines()
    line = next(line for line in log if request_id in line)
    assert answer.headers["X-Request-ID"] == request_id
    # As JSON, or for people, as `make cluster-dev` makes services write.
    assert re.search(r'\broute(":"|=)/api/thoughts[" ]', line)
    assert trace_parent.split("-")[1] in line
