"""`python -m benchmarks [requests|start]`, for `make bench`; without a word it measures both."""

import argparse
import sys

from benchmarks import report
from benchmarks.requests_run import measure_requests
from benchmarks.start_run import measure_start


def main() -> None:
    """Measure, print the tables and keep them."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("what", nargs="?", choices=("all", "requests", "start"), default="all")
    parser.add_argument("--thoughts", type=int, default=100_000, help="in the database")
    parser.add_argument("--rounds", type=int, default=3, help="of which medians are taken")
    options = parser.parse_args()
    if options.what != "start":
        requests = measure_requests(thoughts=options.thoughts, rounds=options.rounds, say=_say)
        _show("requests", requests, report.requests_text(requests))
    if options.what != "requests":
        start = measure_start()
        _show("start", start, report.start_text(start))


def _show(name: str, result: report.Result, text: str) -> None:
    report.keep(name, result, text)
    print(f"\n{text}", flush=True)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
