"""Faults for exercises: an admin makes a process of a backend slow, or its requests fail.

    POST /admin/faults    {"delay_seconds": 1.5, "error_rate": 0.25}

The body must be JSON: numbers with a fraction are not read from forms.
`FAULT_SWITCHES` allows it, for development; without it, this endpoint answers 403, and no other
request is affected.
"""

import asyncio
from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct
from starlette.types import ASGIApp, Receive, Scope, Send

from mythoughts_chassis import audit
from mythoughts_chassis.clients import Client
from mythoughts_chassis.database import Database
from mythoughts_chassis.endpoints import Admin, Endpoint, post
from mythoughts_chassis.observation import is_unobserved
from mythoughts_chassis.problems import Forbidden, InternalError

PATH = "/admin/faults"


class Faults(Struct, frozen=True):
    """How long each request waits before it is answered, and what fraction of requests fail."""

    delay_seconds: Annotated[float, Meta(ge=0, le=25)] = 0.0
    error_rate: Annotated[float, Meta(ge=0, le=1)] = 0.0


class FaultSwitches:
    """The faults of this process, none at the start; `around` applies them to an application."""

    def __init__(self) -> None:
        self._faults = Faults()
        self._due = 0.0

    def around(self, app: ASGIApp) -> ASGIApp:
        """Return the application with faults, except in health checks, metrics and the switch."""

        async def call(scope: Scope, receive: Receive, send: Send) -> None:
            path = scope.get("path", "")
            if scope["type"] == "http" and not is_unobserved(path) and path.rstrip("/") != PATH:
                await self._strike()
            await app(scope, receive, send)

        return call

    async def set(self, database: Database, caller: Admin, client: Client, faults: Faults) -> None:
        """Replace the faults, and record it in the audit log."""
        subject = f"delay {faults.delay_seconds:g} s, error rate {faults.error_rate:g}"
        await audit.record(database, "faults set", client, actor=caller.username, subject=subject)
        self._faults, self._due = faults, 0.0

    async def _strike(self) -> None:
        await asyncio.sleep(self._faults.delay_seconds)
        # Evenly, not at random: at a rate of 0.25, every fourth request fails.
        self._due += self._faults.error_rate
        if self._due >= 1:
            self._due -= 1
            raise InternalError


def fault_endpoints(switches: FaultSwitches | None, database: Database) -> Sequence[Endpoint]:
    """Return the endpoint that sets faults, or that refuses to if there are no switches."""

    @post(PATH, status=200)
    async def set_faults(caller: Admin, client: Client, body: Faults) -> Faults:
        if switches is None:
            raise Forbidden("There are no faults to set unless FAULT_SWITCHES is true.")
        await switches.set(database, caller, client, body)
        return body

    return [set_faults]
