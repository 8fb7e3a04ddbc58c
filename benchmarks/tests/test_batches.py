import csv
import io
import multiprocessing
from concurrent.futures.process import BrokenProcessPool

import psutil
import pytest

from benchmarks.batches import copied_rows
from benchmarks.generator import BATCH, generate_rows


async def _copied(start: int, count: int, *, processes: int) -> bytes:
    with copied_rows(start, count, processes=processes) as pieces:
        return b"".join([piece async for piece in pieces])


async def test_number_of_processes_changes_nothing() -> None:
    """One process and three generate the same lines in the same order."""
    alone = await _copied(100, 3 * BATCH, processes=1)

    together = await _copied(100, 3 * BATCH, processes=3)

    assert together == alone


async def test_lines_are_the_generators_rows() -> None:
    """Read as CSV, the lines hold each thought as it was generated, line breaks included."""
    lines = (await _copied(0, 1000, processes=1)).decode()

    read = list(csv.reader(io.StringIO(lines, newline="")))

    assert read == [
        [str(user_id), username, text, created_at.isoformat()]
        for user_id, username, text, created_at in generate_rows(1000)
    ]


async def test_killed_process_is_an_error() -> None:
    """After a process was killed, the reader gets an error instead of waiting."""
    with copied_rows(0, 100 * BATCH, processes=1) as pieces:
        await anext(pieces)
        for maker in multiprocessing.active_children():
            maker.kill()

        with pytest.raises(BrokenProcessPool):
            _ = [piece async for piece in pieces]


async def test_processes_end_with_the_work() -> None:
    """No process keeps generating lines that are no longer needed."""
    with copied_rows(0, 100 * BATCH, processes=2) as pieces:
        await anext(pieces)
        makers = [maker.pid or 0 for maker in multiprocessing.active_children()]

    assert len(makers) == 2
    assert not any(map(psutil.pid_exists, makers))
