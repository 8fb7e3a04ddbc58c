"""Which sessions have ended: the list that verifiers fetch, and what they do without it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from mythoughts_chassis import ended_sessions
from mythoughts_chassis.ended_sessions import EndedSessions
from mythoughts_chassis.status_lists import PATH
from mythoughts_chassis.tokens import EndedToken, TokenVerifier
from testkit.bad_tokens import strange_key
from testkit.fake_backend import FakeEndedSessions, Reply
from testkit.token_maker import TokenMaker
from testkit.waiting import wait_until
from users_backend.signing import sign_token

pytestmark = pytest.mark.security

Watch = Callable[..., EndedSessions]


@pytest.fixture
def publisher(token_maker: TokenMaker) -> Iterator[FakeEndedSessions]:
    """What publishes the list."""
    publisher = FakeEndedSessions(token_maker)
    yield publisher
    publisher.stop()


@pytest.fixture
def watch(publisher: FakeEndedSessions, token_maker: TokenMaker) -> Iterator[Watch]:
    """A function that starts to poll the publisher, often."""
    with ExitStack() as running:

        def start(**changes: Any) -> EndedSessions:
            settings = {"poll_seconds": 0.02, "issuer": "mythoughts", **changes}
            ended = EndedSessions(
                publisher.url, public_keys_path=token_maker.public_path, **settings
            )
            return running.enter_context(ended)

        yield start


def publish(publisher: FakeEndedSessions, token: str, **headers: str) -> None:
    """Publish this list, and wait until it has been fetched and judged."""
    asked = threading.Semaphore(0)

    def answer() -> Reply:
        asked.release()
        return Reply(200, {"jwt": token}, headers)

    publisher.status_list = answer
    # A second request shows that the first answer has been read.
    for _ in range(2):
        assert asked.acquire(timeout=30)


def test_token_of_an_ended_session_is_refused(
    publisher: FakeEndedSessions, watch: Watch, token_maker: TokenMaker
) -> None:
    """A token that was accepted is refused when its session ends, and no other is."""
    ended = watch()
    verifier = TokenVerifier(
        public_keys_path=token_maker.public_path,
        issuer="mythoughts",
        audience="mythoughts",
        ended=ended,
    )
    seventh, eighth = (token_maker.token("bruce", sid=str(number)) for number in (7, 8))
    verifier.verify(seventh)

    publisher.ended.add(7)
    wait_until(lambda: ended.has_ended(7))

    with pytest.raises(EndedToken, match="the session has ended"):
        verifier.verify(seventh)
    assert verifier.verify(eighth).session_id == 8


def test_list_stays_while_the_publisher_is_away(publisher: FakeEndedSessions, watch: Watch) -> None:
    """Ended sessions stay ended while there is no answer, and then the next list is used."""
    publisher.ended.add(7)
    ended = watch()
    wait_until(lambda: ended.has_ended(7))

    publisher.stop()
    time.sleep(0.2)
    kept = ended.has_ended(7)
    publisher.ended.add(8)
    publisher.start()
    wait_until(lambda: ended.has_ended(8))

    assert kept


def test_nothing_is_certain_before_the_first_list(
    publisher: FakeEndedSessions, watch: Watch
) -> None:
    """Without any list no session has ended, and the list is not up to date."""
    publisher.stop()

    ended = watch()

    assert (ended.has_ended(7), ended.is_up_to_date) == (False, False)


def test_list_gets_old(publisher: FakeEndedSessions, watch: Watch) -> None:
    """A list is up to date until it is older than the maximum."""
    ended = watch(max_age_seconds=1.0)
    wait_until(lambda: ended.is_up_to_date)

    publisher.stop()

    wait_until(lambda: not ended.is_up_to_date)


def test_unsigned_answer_does_not_keep_a_list_young(
    publisher: FakeEndedSessions, watch: Watch
) -> None:
    """A 304, which anybody can send, does not make the list newer."""
    ended = watch(max_age_seconds=1.0)
    wait_until(lambda: ended.is_up_to_date)

    publisher.status_list = lambda: Reply(304)

    wait_until(lambda: not ended.is_up_to_date)


def test_unchanged_list_is_not_sent_again(
    publisher: FakeEndedSessions, watch: Watch, token_maker: TokenMaker
) -> None:
    """The verifier says which list it has."""
    watch()
    token = token_maker.status_list([7], issued_at=time.time() + 5)
    publish(publisher, token, ETag='"seven"')
    publisher.unseen.clear()
    wait_until(lambda: publisher.unseen)
    asked = [call.headers.get("if-none-match") for call in list(publisher.unseen)]

    assert set(asked) == {'"seven"'}


def of_a_stranger(maker: TokenMaker, *, keep_kid: bool) -> str:
    """A list that somebody else has signed."""
    key = strange_key() | ({"kid": maker.private_key["kid"]} if keep_kid else {})
    return sign_token(maker.list_claims([8]), key, typ="statuslist+jwt")


BAD_LISTS: dict[str, Callable[[TokenMaker], str]] = {
    "empty": lambda _: "",
    "damaged": lambda maker: maker.status_list([8])[:-10] + "AAAAAAAAAA",
    "cut short": lambda maker: maker.status_list([8])[:-400],
    "not ASCII": lambda _: "é.é.é",
    "another issuer": lambda maker: maker.status_list([8], iss="elsewhere"),
    "another list": lambda maker: maker.status_list([8], sub="/.well-known/others"),
    "out of date": lambda maker: maker.status_list([8], exp=time.time() - 61),
    "of the future": lambda maker: maker.status_list([8], issued_at=time.time() + 100),
    "endless": lambda maker: maker.status_list([8], exp=float("nan")),
    "of no time": lambda maker: maker.status_list([8], iat=float("nan")),
    "without a time": lambda maker: maker.status_list([8], iat=None),
    "negative": lambda maker: maker.status_list([8], first=-8),
    "two bits": lambda maker: maker.status_list(
        [8], status_list={"bits": 2, "lst": "eNpjAAAAAQAB"}
    ),
    "not zlib": lambda maker: maker.status_list([8], status_list={"bits": 1, "lst": "AAAA"}),
    "not base64": lambda maker: maker.status_list([8], status_list={"bits": 1, "lst": "é"}),
    "of another key": lambda maker: of_a_stranger(maker, keep_kid=False),
    "of another key, known kid": lambda maker: of_a_stranger(maker, keep_kid=True),
    "an access token": lambda maker: maker.token("bruce", **maker.list_claims([8])),
}


@pytest.mark.parametrize("make_list", BAD_LISTS.values(), ids=BAD_LISTS)
def test_bad_list_is_refused(
    publisher: FakeEndedSessions,
    watch: Watch,
    token_maker: TokenMaker,
    make_list: Callable[[TokenMaker], str],
) -> None:
    """A list that is forged, damaged, or another's is refused, and the last one stays."""
    # Older than the others, so that none is refused only because it is old.
    first = Reply(200, {"jwt": token_maker.status_list([7], issued_at=time.time() - 30)})
    publisher.status_list = lambda: first
    ended = watch()
    wait_until(lambda: ended.has_ended(7))

    publish(publisher, make_list(token_maker))
    after_the_bad_one = (ended.has_ended(7), ended.has_ended(8))
    publish(publisher, token_maker.status_list([8]))

    assert after_the_bad_one == (True, False)
    assert ended.has_ended(8)


def test_older_list_is_refused(
    publisher: FakeEndedSessions, watch: Watch, token_maker: TokenMaker
) -> None:
    """An older list, sent again by somebody, brings no session back to life."""
    before = token_maker.status_list([])
    ended = watch()
    publisher.ended.add(7)
    wait_until(lambda: ended.has_ended(7))

    publish(publisher, before)

    assert ended.has_ended(7)


@pytest.mark.parametrize("status", [404, 500, 503])
def test_error_is_no_list(publisher: FakeEndedSessions, watch: Watch, status: int) -> None:
    """An error of the publisher counts as no answer."""
    publisher.ended.add(7)
    ended = watch(max_age_seconds=1.0)
    wait_until(lambda: ended.has_ended(7))

    publisher.status_list = lambda: Reply(status, {"detail": "no"})

    wait_until(lambda: not ended.is_up_to_date)
    assert ended.has_ended(7)


def test_key_that_is_new_is_found(
    publisher: FakeEndedSessions, watch: Watch, token_maker: TokenMaker
) -> None:
    """A list signed with a key that was added later is accepted."""
    ended = watch()
    wait_until(lambda: ended.is_up_to_date)
    token_maker.rotate()

    publisher.ended.add(7)

    wait_until(lambda: ended.has_ended(7))


def test_log_says_once_that_the_list_does_not_come(
    publisher: FakeEndedSessions, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line says that the list does not come and why, and one that it comes again."""
    monkeypatch.setattr(ended_sessions, "SILENT_SECONDS", 0.2)
    monkeypatch.setattr(ended_sessions, "ANSWER_SECONDS", 30.0)
    with capture_logs() as log:
        ended = watch(max_age_seconds=1.0)
        wait_until(lambda: ended.is_up_to_date)
        publisher.status_list = lambda: Reply(503)
        wait_until(lambda: bool(log))
        wait_until(lambda: not ended.is_up_to_date)
        publisher.status_list = publisher.signed_list
        wait_until(lambda: ended.is_up_to_date)
        wait_until(lambda: len(log) >= 2)

    assert [(line["event"], line.get("reason")) for line in log] == [
        ("ended sessions unknown", "InvalidList: status 503"),
        ("ended sessions known again", None),
    ]


def test_short_absence_is_not_logged(publisher: FakeEndedSessions, watch: Watch) -> None:
    """A failure that is over at the next request is not worth a line."""
    failures = [Reply(503, {})]
    with capture_logs() as log:
        ended = watch(max_age_seconds=60.0)
        wait_until(lambda: ended.is_up_to_date)
        publisher.status_list = lambda: failures.pop() if failures else publisher.signed_list()
        publisher.ended.add(7)
        wait_until(lambda: ended.has_ended(7))

    assert failures == []
    assert log == []


def test_age_of_the_list_is_a_metric(publisher: FakeEndedSessions, watch: Watch) -> None:
    """The age grows while the list does not come, and falls when it does."""

    def age() -> float:
        return REGISTRY.get_sample_value("ended_sessions_list_age_seconds") or 0.0

    watch()
    publisher.stop()

    wait_until(lambda: age() > 1)
    publisher.start()
    wait_until(lambda: age() < 1)


def test_stalled_publisher_delays_neither_start_nor_stop(
    publisher: FakeEndedSessions, watch: Watch, token_maker: TokenMaker
) -> None:
    """Starting, asking and stopping take no time while the publisher does not answer."""
    held = threading.Event()
    publisher.status_list = lambda: Reply(200 if held.wait(30) else 500)

    began = time.process_time()
    with EndedSessions(
        publisher.url, public_keys_path=token_maker.public_path, issuer="mythoughts"
    ) as ended:
        ended.has_ended(7)
        alive = [t for t in threading.enumerate() if t.name == "ended-sessions" and t.daemon]
    took = time.process_time() - began
    held.set()

    assert alive
    assert took < 1


def test_thread_ends_with_its_block(watch: Watch, token_maker: TokenMaker) -> None:
    """No thread stays behind."""
    before = threading.active_count()
    with EndedSessions(
        "http://127.0.0.1:1", public_keys_path=token_maker.public_path, issuer="mythoughts"
    ):
        pass

    wait_until(lambda: threading.active_count() <= before)


def test_thread_survives_everything(
    publisher: FakeEndedSessions, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that nobody thought of is logged, and polling continues."""
    failing = iter([RuntimeError("unforeseen")])
    original = EndedSessions._take

    def take(self: EndedSessions, answer: Any) -> None:
        for error in failing:
            raise error
        original(self, answer)

    monkeypatch.setattr(EndedSessions, "_take", take)
    publisher.ended.add(7)

    ended = watch()

    wait_until(lambda: ended.has_ended(7))


def test_list_is_asked_for_at_its_address(publisher: FakeEndedSessions, watch: Watch) -> None:
    """The address is the one in docs/api.md."""
    ended = watch()
    wait_until(lambda: ended.is_up_to_date)

    assert {call.path for call in publisher.unseen} == {PATH} == {"/.well-known/ended-sessions"}
