"""Doing things at the same time, and waiting for what happens."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from testkit.system import WAIT_SECONDS

Result = TypeVar("Result")


def wait_until(condition: Callable[[], bool], *, what: str, seconds: float = WAIT_SECONDS) -> None:
    """Wait until `condition` holds; fail, naming `what` did not happen, when it does not."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.02)


@contextmanager
def repeated(action: Callable[[], Result], *, threads: int) -> Iterator[list[Result]]:
    """Do `action` again and again in some threads while the block runs.

    The list grows by what each run of it returned. An exception from `action` ends its thread
    and is raised after the block.
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
