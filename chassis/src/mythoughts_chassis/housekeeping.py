"""Housekeeping: statements that delete what is old, as long as a service runs.

Each statement deletes a few rows, with `LIMIT` and `FOR UPDATE SKIP LOCKED`, so that it never holds
up a request, and any number of replicas can run it at the same time.
"""

import asyncio
import random
from collections.abc import Sequence

from mythoughts_chassis.database import Database
from mythoughts_chassis.observation import log_error
from mythoughts_chassis.problems import Unavailable

EVERY_SECONDS = 60.0
PAUSE_SECONDS = 0.1


async def keep_house(
    database: Database, statements: Sequence[str], *, every_seconds: float = EVERY_SECONDS
) -> None:
    """Run the `DELETE` statements now and about every `every_seconds`; never returns.

    Each is repeated until nothing is left. One that fails is tried again the next time.
    """
    while True:
        for statement in statements:
            await _delete_all(database, statement)
        # Replicas that started together do not stay in step.
        await asyncio.sleep(every_seconds * random.uniform(0.5, 1.5))  # noqa: S311


async def _delete_all(database: Database, statement: str) -> None:
    try:
        while await database.execute(statement, repeatable=True) != "DELETE 0":  # noqa: ASYNC110
            await asyncio.sleep(PAUSE_SECONDS)
    except Unavailable:
        # The database has logged why.
        return
    except Exception as error:  # noqa: BLE001
        log_error("housekeeping failed", error)
