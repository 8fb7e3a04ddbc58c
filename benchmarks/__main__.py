"""`python -m benchmarks [requests|start|images]`, for `make bench`.

Without a word it measures the first two; the images need a container engine.
"""

import argparse
import sys

from benchmarks import report
from benchmarks.images_run import measure_images
from benchmarks.requests_run import measure_requests
from benchmarks.start_run import measure_start


def main() -> None:
    """Measure, print the tables and keep them."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parts = ("requests", "start", "images")
    parser.add_argument("what", nargs="?", choices=parts)
    parser.add_argument("--thoughts", type=int, default=100_000, help="in the database")
    parser.add_argument("--rounds", type=int, default=3, help="of which medians are taken")
    options = parser.parse_args()
    wanted = (options.what,) if options.what else parts[:2]
    if "requests" in wanted:
        requests = measure_requests(thoughts=options.thoughts, rounds=options.rounds, say=_say)
        _show("requests", requests, report.requests_text(requests))
    if "start" in wanted:
        start = measure_start()
        _show("start", start, report.start_text(start))
    if "images" in wanted:
        images = measure_images()
        _show("images", images, report.images_text(images))


def _show(name: str, result: report.Result, text: str) -> None:
    report.keep(name, result, text)
    print(f"\n{text}", flush=True)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
