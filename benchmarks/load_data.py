"""`python -m benchmarks.load_data`, for `make load-data N=1000000`: fills a database with thoughts.

The database is that of `make up`, running or stopped, or the one that DATABASE_URL names.
"""

import asyncio
import os
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

import asyncpg

from benchmarks.destination import database_url, room_for
from benchmarks.generator import FIRST_USER_ID, MAX_THOUGHTS
from benchmarks.loading import add_thoughts, connected, count_thoughts, update_statistics
from local.postgres import PostgresError
from tooling.console import complain, say, step
from tooling.failures import Failure
from tooling.program import run_program
from tooling.project import ROOT

# On two cores, including the search index, which takes most of the time.
THOUGHTS_PER_SECOND = 10_000
START_SECONDS = 3

_OF_THE_DATABASE = (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError)


def main(environment: Mapping[str, str]) -> int:
    """Load `N` thoughts; returns the exit status."""
    started = time.monotonic()
    outcome = "Nothing was loaded."
    try:
        count = _count(environment.get("N", ""))
        with database_url(environment, ROOT / ".local", count) as url:
            asyncio.run(_load(url, count))
            outcome = "The thoughts are loaded."
            with step("Updating the statistics"):
                asyncio.run(update_statistics(url))
            seconds = time.monotonic() - started
            say(f"\nLoaded {count:,} thoughts in {seconds:.0f} s, {count / seconds:,.0f} a second.")
    except KeyboardInterrupt:
        complain(f"\nStopped. {outcome}")
        return 130
    except (Failure, PostgresError) as error:
        complain(f"\n{error}\n{outcome}")
        return 1
    except _OF_THE_DATABASE as error:
        complain(f"\nThe database cannot be used: {str(error) or type(error).__name__}\n{outcome}")
        return 1
    return 0


def _count(text: str) -> int:
    digits = text.isascii() and text.isdigit() and len(text) <= len(str(MAX_THOUGHTS))
    if not digits or not 1 <= int(text) <= MAX_THOUGHTS:
        fault = f"N={text} is not a number from 1 to {MAX_THOUGHTS:,}." if text else "N is missing."
        raise Failure(f"{fault} For a million thoughts: make load-data N=1000000")
    return int(text)


async def _load(url: str, count: int) -> None:
    async with connected(url) as connection:
        start = await count_thoughts(connection, first_user_id=FIRST_USER_ID)
    place = urlsplit(url)
    say(
        f"Loading {count:,} thoughts, in addition to {start:,} loaded earlier, into the database "
        f"{place.path[1:]} on {place.hostname}, port {place.port}.\n"
        f"They need about {room_for(count)} and, on two cores, "
        f"{START_SECONDS + count / THOUGHTS_PER_SECOND:,.0f} s. Meanwhile requests that read\n"
        "or write thoughts wait, and soon get 503.\n"
    )
    await add_thoughts(url, count, start=start, step=step)


if __name__ == "__main__":
    run_program(lambda: main(os.environ))
