"""Sends requests for a page as fast as they are answered, and prints each second what came back.

    python load.py URL CLIENTS SECONDS

It needs only the standard library, and runs in a pod or on any machine.
"""

import sys
import threading
import time
from collections import Counter
from http.client import HTTPConnection, HTTPException
from statistics import median
from urllib.parse import urlsplit

ANSWER_SECONDS = 10
# An outcome is a status or the name of an error; then, how long it took.
Outcomes = list[tuple[str, float]]


def main() -> None:
    """Run as many clients as asked for, each with a connection of its own."""
    url, clients, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    outcomes: Outcomes = []
    ends_at = time.monotonic() + seconds
    threads = [threading.Thread(target=send, args=(url, outcomes, ends_at)) for _ in range(clients)]
    for thread in threads:
        thread.start()
    printed = 0
    while any(thread.is_alive() for thread in threads):
        time.sleep(1)
        new = outcomes[printed:]
        printed += len(new)
        print(time.strftime("%H:%M:%S"), in_words(new), flush=True)
    print("total", in_words(outcomes), flush=True)


def send(url: str, outcomes: Outcomes, ends_at: float) -> None:
    """Send one request after the other until then, over a connection that is kept."""
    address = urlsplit(url)
    connection = HTTPConnection(address.netloc, timeout=ANSWER_SECONDS)
    while time.monotonic() < ends_at:
        started = time.monotonic()
        try:
            connection.request("GET", f"{address.path or '/'}?{address.query}")
            response = connection.getresponse()
            response.read()
            outcome = str(response.status)
        except (OSError, HTTPException) as error:
            connection.close()
            outcome = type(error).__name__
            time.sleep(0.1)
        outcomes.append((outcome, time.monotonic() - started))


def in_words(outcomes: Outcomes) -> str:
    """Count the outcomes, with the median and the longest time."""
    if not outcomes:
        return "no response"
    counts = Counter(outcome for outcome, _ in outcomes)
    listed = ", ".join(f"{count} x {outcome}" for outcome, count in sorted(counts.items()))
    times = [took for _, took in outcomes]
    return f"{listed}; median {median(times) * 1000:.0f} ms, longest {max(times) * 1000:.0f} ms"


if __name__ == "__main__":
    main()
