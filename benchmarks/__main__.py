"""`python -m benchmarks [requests|start|images|search]`, for `make bench`.

Without an argument it measures the first two; `images` needs a container engine, and `search` at
its largest size an hour.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks import report
from benchmarks.images_run import measure_images
from benchmarks.requests_run import measure_requests
from benchmarks.search import picture
from benchmarks.search.figures import SearchResult
from benchmarks.search.ours import Effort
from benchmarks.search.report import search_text
from benchmarks.search.run import measure_search
from benchmarks.start_run import measure_start
from tooling.program import run_program


def main() -> None:
    """Measure, print the tables and save them."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parts = ("requests", "start", "images", "search")
    parser.add_argument("what", nargs="?", choices=parts)
    parser.add_argument("--thoughts", type=int, default=100_000, help="in the database")
    parser.add_argument("--rounds", type=int, default=3, help="of which medians are taken")
    parser.add_argument(
        "--sizes", type=_sizes, default=[100_000, 1_000_000], help="of the search: 100000,1000000"
    )
    parser.add_argument("--keep", type=Path, help="folder for the data of the search")
    options = parser.parse_args()
    wanted = (options.what,) if options.what else parts[:2]
    if "requests" in wanted:
        requests = measure_requests(thoughts=options.thoughts, rounds=options.rounds, say=_say)
        report.keep("requests", requests)
        _show("requests", report.requests_text(requests))
    if "start" in wanted:
        start = measure_start()
        report.keep("start", start)
        _show("start", report.start_text(start))
    if "images" in wanted:
        images = measure_images()
        report.keep("images", images)
        _show("images", report.images_text(images))
    if "search" in wanted:
        _search(options.sizes, options.keep)


def _search(sizes: Sequence[int], kept: Path | None) -> None:
    """Save each result as soon as it is complete; the tables include those of other runs."""
    for result in measure_search(sizes=sizes, kept=kept, effort=Effort(), say=_say):
        report.keep(f"search-{result.size}", result)
    files = report.RESULTS.glob("search-*.json")
    results = [msgspec.json.decode(file.read_bytes(), type=SearchResult) for file in files]
    results.sort(key=lambda result: result.size)
    picture.draw(results, report.RESULTS / "search.svg")
    _show("search", search_text(results))


def _sizes(text: str) -> list[int]:
    return [int(size) for size in text.split(",")]


def _show(name: str, text: str) -> None:
    report.publish(name, text)
    print(f"\n{text}", flush=True)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    run_program(main)
