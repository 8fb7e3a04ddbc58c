"""Measures logins while 60 connections of another address guess passwords."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, repeat
from urllib.parse import urlencode

from benchmarks.client import Ask, request_bytes, send
from benchmarks.measuring import Latencies
from benchmarks.report import table, verdict
from benchmarks.visitor import LOGIN, USER, Visitor, log_in
from local.stack import temporary_stack
from tooling.console import say, step

CONNECTIONS = 60
# Another address of this machine, for which no proxy is trusted.
ATTACKER = "127.0.0.2"
BUDGET_MS = 1000
# So that the flood has begun.
FIRST_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Login:
    """A way to log in, and its status on success; the same with made-up names and passwords."""

    name: str
    service: str
    honest: Ask
    success: int
    guesses: Iterator[Ask]


@dataclass(frozen=True, slots=True)
class FloodFigure:
    """Logins during a flood of guesses."""

    name: str
    guesses: int
    succeeded: int
    logins: Latencies


@dataclass(frozen=True, slots=True)
class FloodResult:
    """The figures of each way to log in."""

    figures: list[FloodFigure]

    def __str__(self) -> str:
        header = [
            "logins by",
            "guesses",
            "logins",
            "succeeded",
            "p50, ms",
            "p99, ms",
            "worst, ms",
            "budget",
        ]
        rows = [
            [
                figure.name,
                str(figure.guesses),
                str(figure.logins.requests),
                str(figure.succeeded),
                f"{figure.logins.p50_ms:.0f}",
                f"{figure.logins.p99_ms:.0f}",
                f"{figure.logins.worst_ms:.0f}",
                verdict(figure.logins.p99_ms, BUDGET_MS, " ms"),
            ]
            for figure in self.figures
        ]
        return table(header, rows)


def measure_flood(*, logins: int = 200) -> FloodResult:
    """Log in again and again during each flood."""
    say("Starting the system.")
    with temporary_stack({}) as stack:
        visitor = asyncio.run(log_in(stack.urls["users"], stack.urls["frontend"]))
        figures = []
        for login in (_at_the_api(), _at_the_login_page(visitor)):
            with step(f"Logins by {login.name}"):
                figures.append(asyncio.run(_measure(login, stack.urls[login.service], logins)))
        return FloodResult(figures)


async def _measure(login: Login, url: str, logins: int) -> FloodFigure:
    is_over = False

    def guesses() -> Iterator[Ask]:
        for ask in login.guesses:
            if is_over:
                return
            yield ask

    async with asyncio.TaskGroup() as tasks:
        flood = tasks.create_task(send(url, guesses(), clients=CONNECTIONS, source=ATTACKER))
        await asyncio.sleep(FIRST_SECONDS)
        observed = await send(url, repeat(login.honest, logins))
        is_over = True
    succeeded = sum(one.answer.status == login.success for one in observed)
    return FloodFigure(login.name, len(flood.result()), succeeded, Latencies.of(observed))


def _at_the_api() -> Login:
    headers = {"Content-Type": "application/json"}

    def guess(number: int) -> Ask:
        body = json.dumps({"username": f"user{number}", "password": "a guess"}).encode()
        return Ask("guess", request_bytes("POST", "/api/login/", headers, body), status=None)

    honest = Ask("login", LOGIN, status=None)
    return Login("the API", "users", honest, 200, map(guess, count()))


def _at_the_login_page(visitor: Visitor) -> Login:
    headers = visitor.logged_out_browser | {"Content-Type": "application/x-www-form-urlencoded"}

    def form(username: str, password: str) -> bytes:
        fields = {
            "csrfmiddlewaretoken": visitor.form_token,
            "username": username,
            "password": password,
        }
        return request_bytes("POST", "/login/", headers, urlencode(fields).encode())

    def guess(number: int) -> Ask:
        return Ask("guess", form(f"user{number}", "a guess"), status=None)

    honest = Ask("login", form(USER, USER), status=None)
    return Login("the login page", "frontend", honest, 302, map(guess, count()))
