"""Nobody shares more thoughts in a minute or a day than the settings allow."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.thoughts_backend.tests.conftest import MakeBackend
from testkit.http_client import Answer, HttpClient
from testkit.service_process import ServiceProcess
from testkit.thoughts_sql import Sql
from testkit.waiting import wait_until

pytestmark = pytest.mark.security

PATH = "/api/me/thoughts/"
# Move the beginning of a minute, or a day, into the past.
MINUTE_IS_OVER = "UPDATE share_counts SET minute_began_at = now() - interval '61 seconds'"
DAY_IS_OVER = "UPDATE share_counts SET day_began_at = now() - interval '25 hours'"


def share(http: HttpClient, token: str, text: str = "So.", key: str | None = None) -> Answer:
    """Share a thought."""
    headers = {"Idempotency-Key": key} if key else {}
    return http.post(PATH, token=token, json={"text": text}, headers=headers)


def statuses(http: HttpClient, token: str, count: int) -> list[int]:
    """The statuses of sharing this number of thoughts."""
    return [share(http, token).status for _ in range(count)]


@pytest.fixture(scope="module")
def limited_backend(
    backend_settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServiceProcess]:
    """A backend that lets a user share three thoughts a minute and five a day."""
    settings = backend_settings | {"SHARES_PER_MINUTE": "3", "SHARES_PER_DAY": "5"}
    folder = tmp_path_factory.mktemp("limited")
    backend = ServiceProcess("thoughts_backend", settings, folder=folder)
    backend.start()
    yield backend
    backend.stop()


@pytest.fixture
def limited(limited_backend: ServiceProcess, sql: Sql) -> HttpClient:
    """A client of that backend. The counts are in the database, which is empty for each test."""
    assert sql.value("SELECT count(*) FROM share_counts") == 0
    return limited_backend.http


@pytest.fixture
def unlimited(make_backend: MakeBackend, sql: Sql) -> Iterator[HttpClient]:
    """A client of a backend without limits."""
    assert sql.value("SELECT count(*) FROM share_counts") == 0
    backend = make_backend(SHARES_PER_MINUTE="0", SHARES_PER_DAY="0")
    backend.start()
    yield backend.http
    backend.stop()


def test_thoughts_beyond_the_limit_are_refused(limited: HttpClient, bruce: str, sql: Sql) -> None:
    """The fourth thought of a minute is a 429 and is not stored."""
    assert statuses(limited, bruce, 4) == [201, 201, 201, 429]
    assert sql.value("SELECT count(*) FROM thoughts") == 3


def test_refusal_says_when_to_try_again(limited: HttpClient, bruce: str) -> None:
    """`Retry-After` and `RateLimit` give the rest of the minute; the detail is for people."""
    statuses(limited, bruce, 3)

    refusal = share(limited, bruce)

    assert 0 < int(refusal.headers["Retry-After"]) <= 60
    assert (
        f'"shares-per-minute";r=0;t={refusal.headers["Retry-After"]}'
        in (refusal.headers["RateLimit"])
    )
    assert refusal.headers["RateLimit-Policy"] == (
        '"shares-per-minute";q=3;w=60, "shares-per-day";q=5;w=86400'
    )
    assert refusal.headers["Content-Type"] == "application/problem+json"
    assert "3 thoughts within a minute" in refusal.json()["detail"]


def test_next_minute_is_free_again(limited: HttpClient, bruce: str, sql: Sql) -> None:
    """When the minute is over, a user can share again."""
    statuses(limited, bruce, 4)
    sql.run(MINUTE_IS_OVER)

    assert share(limited, bruce).status == 201


def test_refused_attempts_do_not_prolong_the_wait(
    limited: HttpClient, bruce: str, sql: Sql
) -> None:
    """Neither do refusals count, nor does the minute begin with them."""
    statuses(limited, bruce, 10)

    (counts,) = sql.run("SELECT minute_count, day_count FROM share_counts")
    assert tuple(counts) == (3, 3)


def test_day_has_a_limit_of_its_own(limited: HttpClient, bruce: str, sql: Sql) -> None:
    """The sixth thought of a day is a 429 until the day is over."""
    statuses(limited, bruce, 3)
    sql.run(MINUTE_IS_OVER)

    assert statuses(limited, bruce, 3) == [201, 201, 429]
    refusal = share(limited, bruce)
    assert 86_000 < int(refusal.headers["Retry-After"]) <= 86_400
    assert "5 thoughts within a day" in refusal.json()["detail"]
    sql.run(MINUTE_IS_OVER)
    sql.run(DAY_IS_OVER)
    assert share(limited, bruce).status == 201


def test_deleted_thought_still_counts(limited: HttpClient, bruce: str) -> None:
    """Deleting thoughts, one or all, does not make room for more."""
    thought_id = share(limited, bruce).json()["id"]
    limited.delete(f"{PATH}{thought_id}/", token=bruce)
    statuses(limited, bruce, 2)
    limited.delete(PATH, token=bruce)

    assert share(limited, bruce).status == 429


def test_repeated_request_is_neither_counted_nor_refused(limited: HttpClient, bruce: str) -> None:
    """A repeat with the same Idempotency-Key answers as before, below the limit and at it."""
    first = share(limited, bruce, key="one")
    repeats = [share(limited, bruce, key="one").status for _ in range(5)]

    assert repeats == [201] * 5
    assert [share(limited, bruce, key=key).status for key in ("two", "three", "four")] == [
        201,
        201,
        429,
    ]
    assert share(limited, bruce, key="one").body == first.body


def test_refused_thought_does_not_use_up_its_key(limited: HttpClient, bruce: str, sql: Sql) -> None:
    """A request that was refused can be repeated later with the same key."""
    statuses(limited, bruce, 3)
    assert share(limited, bruce, key="later").status == 429
    sql.run(MINUTE_IS_OVER)

    assert share(limited, bruce, key="later").status == 201


def test_users_are_limited_apart(limited: HttpClient, bruce: str, stephen: str) -> None:
    """One user's thoughts do not count for another."""
    statuses(limited, bruce, 4)

    assert share(limited, stephen).status == 201


@pytest.mark.parametrize("with_key", [False, True])
def test_limit_holds_for_simultaneous_requests(
    limited: HttpClient, bruce: str, sql: Sql, with_key: bool
) -> None:
    """Of forty simultaneous thoughts exactly three are stored."""
    keys = [f"key-{number}" if with_key else None for number in range(40)]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda key: share(limited, bruce, key=key).status, keys))

    assert sorted(answers) == [201] * 3 + [429] * 37
    assert sql.value("SELECT count(*) FROM thoughts") == 3


def test_replicas_count_together(
    limited: HttpClient, make_backend: MakeBackend, bruce: str
) -> None:
    """Thoughts that a user has shared at one process count at another, and after a restart."""
    other = make_backend(SHARES_PER_MINUTE="3", SHARES_PER_DAY="5")
    other.start()

    answers = [share(http, bruce).status for http in (limited, other.http) * 2]

    assert answers == [201, 201, 201, 429]


def test_shared_thought_says_what_is_left(http: HttpClient, bruce: str) -> None:
    """By default a user can share 60 thoughts a minute and 1,000 a day; answers say so."""
    share(http, bruce)

    answer = share(http, bruce)

    assert answer.headers["RateLimit-Policy"] == (
        '"shares-per-minute";q=60;w=60, "shares-per-day";q=1000;w=86400'
    )
    minute, day = answer.headers["RateLimit"].split(", ")
    assert minute.startswith('"shares-per-minute";r=58;t=')
    assert day.startswith('"shares-per-day";r=998;t=')


def test_zero_means_no_limit(unlimited: HttpClient, bruce: str, sql: Sql) -> None:
    """Without limits nothing is counted, and the answers say nothing of limits."""
    assert statuses(unlimited, bruce, 65) == [201] * 65
    assert "RateLimit" not in share(unlimited, bruce, key="one").headers
    assert sql.value("SELECT count(*) FROM share_counts") == 0


def test_one_limit_can_be_off(make_backend: MakeBackend, bruce: str, sql: Sql) -> None:
    """With only a limit per day, a minute may have any number."""
    backend = make_backend(SHARES_PER_MINUTE="0", SHARES_PER_DAY="61")
    backend.start()

    assert statuses(backend.http, bruce, 62) == [201] * 61 + [429]
    assert share(backend.http, bruce).headers["RateLimit-Policy"] == '"shares-per-day";q=61;w=86400'
    sql.run("TRUNCATE share_counts")


def test_counts_are_deleted_after_their_day(make_backend: MakeBackend, sql: Sql) -> None:
    """Counts that are over are deleted, so that nothing remains of users who left; others stay."""
    sql.run("INSERT INTO share_counts VALUES (1, now(), 1, now(), 1)")
    sql.run("INSERT INTO share_counts SELECT id, now(), 1, now() - interval '25 hours', 1 "
            "FROM generate_series(2, 2500) id")  # fmt: skip
    make_backend().start()

    wait_until(lambda: sql.value("SELECT count(*) FROM share_counts") == 1)
    assert sql.value("SELECT user_id FROM share_counts") == 1
