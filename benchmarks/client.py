"""The load: a bounded number of HTTP/1.1 requests over keep-alive connections (RFC 9112).

It is deliberately small, so that the servers rarely wait for it; its own CPU is not counted.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

ANSWER_SECONDS = 30
TOO_BUSY = 503

# Returns the request with this number.
MakeRequest = Callable[[int], bytes]


class UnexpectedAnswer(Exception):
    """The server did not answer as the scenario expects, so the figures would be meaningless."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, with header names in lower case; repeated headers are joined by LF."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Load:
    """What a client measured: total time, sorted latencies, and the number of 503 answers."""

    seconds: float
    latencies_seconds: list[float]
    refused: int

    def percentile_seconds(self, percent: float) -> float:
        """Return the latency that `percent` of the requests did not exceed."""
        last = len(self.latencies_seconds) - 1
        return self.latencies_seconds[min(last, int(last * percent / 100 + 0.5))]


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
    """Send one request over its own connection."""
    reader, writer = await connect(base_url)
    try:
        return await exchange(reader, writer, request)
    finally:
        writer.close()


async def send_load(
    base_url: str, make_request: MakeRequest, *, status: int, count: int, connections: int
) -> Load:
    """Send `count` requests over `connections`; each sends the next one after its answer.

    A server that is too busy may answer 503. Raises `UnexpectedAnswer` if a request is
    answered with any status other than these two.
    """
    numbers = iter(range(count))
    latencies: list[float] = []
    refused = 0
    pairs = [await connect(base_url) for _ in range(connections)]

    async def work(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal refused
        for number in numbers:
            request = make_request(number)
            started = time.perf_counter()
            answer = await exchange(reader, writer, request)
            latencies.append(time.perf_counter() - started)
            if answer.status not in (status, TOO_BUSY):
                raise UnexpectedAnswer(f"{answer.status}, not {status}: {answer.body[:500]!r}")
            refused += answer.status == TOO_BUSY

    started = time.perf_counter()
    try:
        async with asyncio.TaskGroup() as tasks:
            for pair in pairs:
                tasks.create_task(work(*pair))
    finally:
        for _, writer in pairs:
            writer.close()
    return Load(time.perf_counter() - started, sorted(latencies), refused)


async def connect(base_url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a connection that is kept until the caller closes it."""
    address = urlsplit(base_url)
    return await asyncio.open_connection(address.hostname, address.port)


async def exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> Answer:
    """Send a request and return its answer; raises TimeoutError after `ANSWER_SECONDS`."""
    async with asyncio.timeout(ANSWER_SECONDS):
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split(" ")[1])
        headers: dict[str, str] = {}
        for name, value in _header_lines(head[1:-2]):
            headers[name] = f"{headers[name]}\n{value}" if name in headers else value
        return Answer(status, headers, await _body(reader, headers))


def _header_lines(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, _, value = line.partition(":")
        yield name.lower(), value.strip()


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding") == "chunked":
        raise UnexpectedAnswer("The answer is chunked, which no scenario expects.")
    return await reader.readexactly(int(headers.get("content-length", 0)))
