"""The progress of a long job: bars on a terminal, otherwise a line for each finished part."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TaskID, TimeElapsedColumn

from tooling.console import say_step

# Called with the current part of the job, and the share of it that is done, from 0 to 1.
Show = Callable[[str, float], None]


def show_nothing(_: str, __: float) -> None:
    """Show nothing."""


@contextmanager
def shown_progress() -> Iterator[Show]:
    """Give a function that shows the user the progress of each part of a job."""
    if not sys.stdout.isatty():
        yield _lines()
        return
    columns = (
        "  {task.description}",
        BarColumn(),
        "{task.percentage:>3.0f} %",
        TimeElapsedColumn(),
    )
    with Progress(*columns) as progress:
        tasks: dict[str, TaskID] = {}

        def show(label: str, share: float) -> None:
            if label not in tasks:
                tasks[label] = progress.add_task(label, total=1)
            progress.update(tasks[label], completed=share)

        yield show


def _lines() -> Show:
    started: dict[str, float] = {}

    def show(label: str, share: float) -> None:
        since = started.setdefault(label, time.monotonic())
        if share >= 1:
            say_step(label, seconds=time.monotonic() - since)

    return show
