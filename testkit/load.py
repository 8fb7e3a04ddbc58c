"""Clients that read, write, log in and open pages while an operator works."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle

from testkit.http_client import CONNECTION_ERRORS
from testkit.system import System, User, unique
from testkit.waiting import repeated, wait_until

# As many as a Frontend pod has connections to a backend: more requests may be answered with 503.
CLIENTS = 4

Outcome = tuple[str, int | str]


class Load:
    """The outcomes of the requests so far: the request, and its status or error."""

    def __init__(self, outcomes: Sequence[Outcome], confirmed: list[str]) -> None:
        self._outcomes = outcomes
        self.confirmed = confirmed

    @property
    def failures(self) -> Counter[Outcome]:
        """The failed requests, counted by outcome."""
        return Counter(outcome for outcome in list(self._outcomes) if outcome[1] not in (200, 201))

    @property
    def successes(self) -> int:
        """The number of successful requests."""
        return len(self._outcomes) - self.failures.total()

    def wait_for_more(self) -> None:
        """Wait until a good number of further requests have succeeded."""
        enough = self.successes + 50
        wait_until(lambda: self.successes >= enough, what="requests are answered")


@contextmanager
def load(system: System, user: User) -> Iterator[Load]:
    """Send requests of every kind, over keep-alive connections, while the block runs."""
    confirmed: list[str] = []
    actions = cycle(_actions(system, user, confirmed))

    def ask() -> Outcome:
        name, action = next(actions)
        try:
            return name, action()
        except CONNECTION_ERRORS as error:
            return name, f"{type(error).__name__}: {error}"

    with repeated(ask, threads=CLIENTS) as outcomes:
        load = Load(outcomes, confirmed)
        load.wait_for_more()
        yield load


def _actions(
    system: System, user: User, confirmed: list[str]
) -> list[tuple[str, Callable[[], int]]]:
    thoughts, users, frontend = system.thoughts(user), system.users(user), system.frontend(user)

    def share() -> int:
        text = unique("under load")
        answer = thoughts.post("/api/me/thoughts/", json={"text": text})
        if answer.status == 201:
            confirmed.append(text)
        return answer.status

    return [
        ("list", lambda: thoughts.get("/api/thoughts/").status),
        ("share", share),
        ("me", lambda: users.get("/api/me/").status),
        ("own page", lambda: frontend.get("/").status),
        ("search page", lambda: frontend.get("/search?search=load").status),
    ]
