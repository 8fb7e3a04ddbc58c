"""The cost of a search, as a whole request and as a whole page, beside the floors."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from urllib.parse import urlencode

from benchmarks.client import request_bytes
from benchmarks.measuring import Figure, combine, run_round
from benchmarks.requests_run import running_servers
from benchmarks.scenarios import API_FLOOR, PAGE_FLOOR, Scenario, floor_scenarios
from benchmarks.visitor import Browser, log_in, open_browser
from local.stack import Stack

# A demonstration user; the password is the same as the name.
USER = "bruce"


def measure_costs(stack: Stack, words: Sequence[str], *, requests: int) -> list[Figure]:
    """Search for the words in turn, by API and in a browser; raises `UnexpectedAnswer`."""
    token = asyncio.run(log_in(stack.urls["users"], username=USER, password=USER))
    browser = asyncio.run(open_browser(stack.urls["frontend"], token))
    postgres_pid = stack.postgres.process.pid
    with running_servers(stack, browser) as servers:
        return [
            combine(
                scenario,
                clients,
                [run_round(scenario, servers, postgres_pid, connections=clients)],
            )
            for scenario in _scenarios(browser, words, requests)
            for clients in (1, scenario.connections)
        ]


def _scenarios(browser: Browser, words: Sequence[str], requests: int) -> list[Scenario]:
    floors = [replace(floor, requests=requests) for floor in floor_scenarios(browser)]
    api = _in_turn(words, "/api/thoughts/", {})
    page = _in_turn(words, "/search", browser.headers)
    return [
        *floors,
        Scenario("GET search, middling word", "thoughts", API_FLOOR, api, requests),
        Scenario("page of search results, middling word", "frontend", PAGE_FLOOR, page, requests),
    ]


def _in_turn(words: Sequence[str], path: str, headers: dict[str, str]) -> Callable[[int], bytes]:
    ready = [
        request_bytes("GET", f"{path}?{urlencode({'search': word})}", headers) for word in words
    ]
    return lambda number: ready[number % len(ready)]
