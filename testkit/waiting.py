"""Waiting for what happens, and doing things at the same time."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

WAIT_SECONDS = 60

Result = TypeVar("Result")


def wait_until(
    condition: Callable[[], object],
    *,
    what: str | Callable[[], str] = "it",
    seconds: float = WAIT_SECONDS,
) -> None:
    """Wait until `condition` is true; the failure names `what` did not happen.

    A function as `what` is called only when the wait has failed.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            missing = what if isinstance(what, str) else what()
            raise AssertionError(f"{missing}: not within {seconds} s")
        time.sleep(0.02)


@contextmanager
def repeated(action: Callable[[], Result], *, threads: int) -> Iterator[list[Result]]:
    """Repeat `action` in several threads while the block runs.

    The list holds the result of each call so far. An exception from `action` ends its thread and
    is raised after the block.
    """
    results: list[Result] = []
    is_over = threading.Event()

    def repeat() -> None:
        while not is_over.is_set():
            results.append(action())

    with ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(repeat) for _ in range(threads)]
        try:
            yield results
        finally:
            is_over.set()
    for future in futures:
        future.result()
