"""The load: HTTP/1.1 requests over keep-alive connections (RFC 9112).

It is deliberately small, so that the servers rarely wait for it; its own CPU is not counted.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

ANSWER_SECONDS = 30
TOO_BUSY = 503


class UnexpectedAnswer(Exception):
    """The server did not answer as expected, so the figures would be meaningless."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A request of a class, the term and author it searches for, and the expected status."""

    kind: str
    request: bytes
    term: str = ""
    username: str = ""
    status: int = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, with header names in lower case; repeated headers are joined by LF."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Observation:
    """A request, its answer, and how long that took."""

    ask: Ask
    answer: Answer
    seconds: float

    @property
    def refused(self) -> bool:
        """Whether the server was too busy."""
        return self.answer.status == TOO_BUSY


def request_bytes(
    method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> bytes:
    """Return a request as sent over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


async def fetch(base_url: str, request: bytes) -> Answer:
    """Send one request over its own connection; raises `UnexpectedAnswer`."""
    (observation,) = await send(base_url, [Ask("", request)])
    if observation.refused:
        raise UnexpectedAnswer(f"{base_url} is too busy.")
    return observation.answer


async def send(
    base_url: str, asks: Iterable[Ask], *, clients: int = 1, seconds: float = 600
) -> list[Observation]:
    """Send requests for at most `seconds`; each client sends the next one after its answer.

    A server that is too busy may answer 503. Raises `UnexpectedAnswer` for any other unexpected
    status, and TimeoutError if an answer takes longer than `ANSWER_SECONDS`.
    """
    address = urlsplit(base_url)
    deadline = time.perf_counter() + seconds
    remaining = iter(asks)
    observations: list[Observation] = []

    async def work() -> None:
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        try:
            for ask in remaining:
                started = time.perf_counter()
                answer = await _exchange(reader, writer, ask.request)
                ended = time.perf_counter()
                if answer.status not in (ask.status, TOO_BUSY):
                    raise UnexpectedAnswer(f"{ask} was answered {answer.status}: {answer.body!r}")
                observations.append(Observation(ask, answer, ended - started))
                if ended > deadline:
                    return
        finally:
            writer.close()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(clients):
            tasks.create_task(work())
    return observations


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> Answer:
    async with asyncio.timeout(ANSWER_SECONDS):
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split(" ")[1])
        headers: dict[str, str] = {}
        for line in head[1:-2]:
            name, _, value = line.partition(":")
            key, value = name.lower(), value.strip()
            headers[key] = f"{headers[key]}\n{value}" if key in headers else value
        # None of the answers is chunked.
        body = await reader.readexactly(int(headers["content-length"]))
        return Answer(status, headers, body)
