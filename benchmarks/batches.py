"""Batches of the generator as lines for COPY, made in as many processes as there are processors.

Each process makes every so many batches and waits, with one that is ready, until its turn comes.
"""

import asyncio
import multiprocessing
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection

from benchmarks.generator import BATCH, generate_rows

# Processes that start anew can be started whatever threads run in this one.
_SPAWN = multiprocessing.get_context("spawn")


class MakerEnded(Exception):
    """A process that makes thoughts has ended, killed or by a fault."""


@contextmanager
def copied_rows(start: int, count: int, *, processes: int) -> Iterator[AsyncIterator[bytes]]:
    """Give the thoughts number `start` to `start + count - 1` as CSV, in order, in large pieces.

    The iterator raises `MakerEnded` when a process that makes them has ended before its time.
    """
    stop = start + count
    parts = [
        range(max(start, first), min(stop, first + BATCH))
        for first in range(start - start % BATCH, stop, BATCH)
    ]
    makers = [_Maker(parts[number::processes]) for number in range(min(processes, len(parts)))]
    try:
        yield _in_turn(makers, len(parts))
    finally:
        for maker in makers:
            maker.end()


async def _in_turn(makers: "list[_Maker]", count: int) -> AsyncIterator[bytes]:
    for number in range(count):
        yield await asyncio.to_thread(makers[number % len(makers)].receive)


class _Maker:
    """A process that makes the lines of some parts of the sequence."""

    def __init__(self, parts: list[range]) -> None:
        self._pipe, other_end = _SPAWN.Pipe(duplex=False)
        self._process = _SPAWN.Process(target=_make, args=(parts, other_end), daemon=True)
        self._process.start()
        # So that the end of the process is the end of the pipe.
        other_end.close()

    def receive(self) -> bytes:
        """Return the lines of the next part; raises `MakerEnded`."""
        try:
            return self._pipe.recv_bytes()
        except (EOFError, OSError) as error:
            raise MakerEnded("A process that makes thoughts has ended.") from error

    def end(self) -> None:
        """End the process, whether or not it is done."""
        self._process.terminate()
        self._process.join()
        self._process.close()
        self._pipe.close()


def _make(parts: list[range], pipe: Connection) -> None:
    # Ctrl-C is for the process that started this one, which then ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # That process was killed.
    with suppress(BrokenPipeError):
        for part in parts:
            pipe.send_bytes(_lines(part))


def _lines(part: range) -> bytes:
    rows = generate_rows(len(part), start=part.start)
    return "".join(
        f"{user_id},{_quoted(username)},{_quoted(text)},{created_at.isoformat()}\n"
        for user_id, username, text, created_at in rows
    ).encode()


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
