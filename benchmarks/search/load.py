"""Sends searches over keep-alive connections and records each answer."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from benchmarks.client import TOO_BUSY, Answer, UnexpectedAnswer, connect, exchange
from benchmarks.search.figures import Latencies

LIMIT = 20


@dataclass(frozen=True, slots=True)
class Ask:
    """A request of a class; `term` and `username` are the search parameters."""

    kind: str
    request: bytes
    term: str = ""
    username: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """How a request was answered. An `incomplete` page is short although more entries follow."""

    ask: Ask
    seconds: float
    refused: bool
    incomplete: bool


async def send(
    base_url: str, asks: Iterable[Ask], *, clients: int = 1, seconds: float = 600
) -> list[Observation]:
    """Send the requests for `seconds` at most; each client sends the next one after its answer.

    Raises `UnexpectedAnswer` for any answer other than a success or 503.
    """
    deadline = time.perf_counter() + seconds
    remaining = iter(asks)
    observations: list[Observation] = []

    async def work() -> None:
        reader, writer = await connect(base_url)
        try:
            for ask in remaining:
                started = time.perf_counter()
                answer = await exchange(reader, writer, ask.request)
                ended = time.perf_counter()
                observations.append(_observation(ask, answer, ended - started))
                if ended > deadline:
                    return
        finally:
            writer.close()
            await writer.wait_closed()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(clients):
            tasks.create_task(work())
    return observations


def latencies_of(observations: Sequence[Observation]) -> Latencies:
    """Summarize the times of the requests."""
    return Latencies.of([one.seconds for one in observations])


def _observation(ask: Ask, answer: Answer, seconds: float) -> Observation:
    refused = answer.status == TOO_BUSY
    if answer.status not in (200, 201) and not refused:
        raise UnexpectedAnswer(f"{ask} was answered {answer.status}: {answer.body[:500]!r}")
    return Observation(ask, seconds, refused, incomplete=_is_incomplete(answer))


def _is_incomplete(answer: Answer) -> bool:
    if 'rel="next"' not in answer.headers.get("link", ""):
        return False
    return len(msgspec.json.decode(answer.body, type=list[msgspec.Raw])) < LIMIT
