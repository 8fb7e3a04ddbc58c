"""`python -m benchmarks [requests|start|images|search]`, for `make bench`.

Without an argument it measures requests and starts. `images` needs Docker; `search` takes an hour
for 10,000,000 thoughts.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks import report
from benchmarks.images_run import measure_images
from benchmarks.machine import is_optimized
from benchmarks.requests_run import measure_requests
from benchmarks.search.report import saved_results, search_text
from benchmarks.search.run import Effort, measure_search
from benchmarks.start_run import measure_start
from tooling.console import complain, say
from tooling.program import run_program

NOT_OPTIMIZED = """\
This Python was built without optimization: each request costs about a fifth more than with a
distribution's. In a clone without `.venv`, `make bench PYTHON=/usr/bin/python3` uses another one.
"""


def main() -> None:
    """Measure, save the results, and print and publish the tables."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    choices = ("requests", "start", "images", "search")
    parser.add_argument("what", nargs="?", choices=choices)
    parser.add_argument("--thoughts", type=int, default=100_000, help="in the database")
    parser.add_argument("--rounds", type=int, default=3, help="of which medians are taken")
    parser.add_argument(
        "--sizes", type=_sizes, default=[100_000, 1_000_000], help="of the search: 100000,1000000"
    )
    parser.add_argument("--keep", type=Path, help="folder for the data of the search")
    options = parser.parse_args()
    if not is_optimized():
        complain(NOT_OPTIMIZED)
    if options.what in ("requests", None):
        _show("requests", measure_requests(thoughts=options.thoughts, rounds=options.rounds))
    if options.what in ("start", None):
        _show("start", measure_start())
    if options.what == "images":
        _show("images", measure_images())
    if options.what == "search":
        _search(options.sizes, options.keep)


def _search(sizes: Sequence[int], kept: Path | None) -> None:
    """Save each result as soon as it is complete; the table includes those of other runs."""
    for result in measure_search(sizes=sizes, kept=kept, effort=Effort()):
        report.save(f"search-{result.size}", result)
        text = search_text(saved_results())
        report.publish("search", text)
        say(f"\n{text}")


def _show(name: str, result: object) -> None:
    report.save(name, result)
    report.publish(name, str(result))
    say(f"\n{result}")


def _sizes(text: str) -> list[int]:
    return [int(size) for size in text.split(",")]


if __name__ == "__main__":
    run_program(main)
