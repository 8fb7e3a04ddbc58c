"""The rules of sharing: a repeated request stores one thought, and the number is limited."""

from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client import Counter

from mythoughts_chassis.database import Connection, Database
from mythoughts_chassis.problems import Conflict, Gone, TooManyRequests, UnprocessableContent
from mythoughts_chassis.rate_limits import RateLimit, rate_limit_headers
from mythoughts_chassis.tokens import Principal
from thoughts_backend import queries
from thoughts_backend.queries import ShareCounts, Shared, StoredAnswer
from thoughts_backend.schemas import Thought

MINUTE_SECONDS, DAY_SECONDS = 60, 86_400
# What PostgreSQL compares counts with if there is no limit.
_NO_LIMIT = 2**31 - 1

_SHARED = Counter("thoughts_shared", "Thoughts that were stored.")
_REFUSED = Counter("thoughts_refused", "Thoughts that were refused because of a limit.")


@dataclass(frozen=True, slots=True)
class ShareLimits:
    """How many thoughts a user may share in a minute and in a day; 0 means any number.

    A minute, or a day, begins with the first thought after the previous one has ended.
    """

    per_minute: int
    per_day: int

    @property
    def for_query(self) -> tuple[int, int] | None:
        """The limits as `insert_thought` takes them."""
        if not self.per_minute and not self.per_day:
            return None
        return self.per_minute or _NO_LIMIT, self.per_day or _NO_LIMIT

    def status(self, counts: ShareCounts) -> list[RateLimit]:
        """Return the current state of the limits for a user with these counts."""
        windows = (
            ("minute", self.per_minute, MINUTE_SECONDS, counts.in_minute, counts.minute_seconds),
            ("day", self.per_day, DAY_SECONDS, counts.in_day, counts.day_seconds),
        )
        return [
            RateLimit(f"shares-per-{name}", quota, length, max(quota - count, 0), seconds_left)
            for name, quota, length, count, seconds_left in windows
            if quota and seconds_left > 0
        ]


@dataclass(frozen=True, slots=True)
class SharedThought:
    """The thought that a request has stored, now or earlier, and headers about the limits."""

    thought: Thought
    headers: Mapping[str, str]


async def share(
    database: Database,
    limits: ShareLimits,
    author: Principal,
    text: str,
    *,
    idempotency_key: str | None,
) -> SharedThought:
    """Store a thought.

    Raises `Conflict` while another request with the same key is in progress,
    `UnprocessableContent` if the key was used for another text, `Gone` if the thought shared with
    it has been deleted, and `TooManyRequests`.
    """
    outcome: StoredAnswer | Shared | None
    if idempotency_key is None:
        outcome = await database.run(
            lambda c: queries.insert_thought(
                c, author.user_id, author.username, text, limits=limits.for_query
            ),
            repeatable=False,
        )
    else:
        outcome = await database.run(
            lambda c: _share_once(c, limits, author, text, idempotency_key), repeatable=True
        )
    match outcome:
        case None:
            _REFUSED.inc()
            raise await _too_many(database, limits, author.user_id)
        case StoredAnswer():
            return SharedThought(_answered_before(outcome, text), {})
        case Shared(thought, counts):
            _SHARED.inc()
            return SharedThought(thought, _headers(limits, counts) if counts else {})


async def _share_once(
    connection: Connection, limits: ShareLimits, author: Principal, text: str, key: str
) -> StoredAnswer | Shared | None:
    """Return the answer that the key has, or store the thought; None if a limit is reached."""
    async with connection.transaction():
        if not await queries.try_lock_key(connection, author.user_id, key):
            raise Conflict("A request with this Idempotency-Key is still in progress.")
        earlier = await queries.find_answer(connection, author.user_id, key)
        if earlier is not None:
            return earlier
        return await queries.insert_thought(
            connection, author.user_id, author.username, text, key=key, limits=limits.for_query
        )


def _answered_before(earlier: StoredAnswer, text: str) -> Thought:
    if earlier.is_deleted:
        raise Gone("The thought that was shared with this Idempotency-Key has been deleted.")
    if earlier.thought.text != text:
        raise UnprocessableContent("This Idempotency-Key has already been used for another text.")
    return earlier.thought


async def _too_many(database: Database, limits: ShareLimits, user_id: int) -> TooManyRequests:
    counts = await queries.find_share_counts(database, user_id)
    reached = [] if counts is None else [one for one in limits.status(counts) if not one.remaining]
    if counts is None or not reached:
        # The minute, or the day, has just ended.
        return TooManyRequests()
    last = max(reached, key=lambda limit: limit.reset_seconds)
    unit = last.name.rpartition("-")[2]
    return TooManyRequests(
        f"You have shared {last.quota} thoughts within a {unit}, the most that is possible. "
        "Please wait.",
        retry_after_seconds=last.reset_seconds,
        headers=_headers(limits, counts),
    )


def _headers(limits: ShareLimits, counts: ShareCounts) -> Mapping[str, str]:
    return rate_limit_headers(*limits.status(counts))
