"""Many clients search for the costliest term at once, while others read lists and share."""

import asyncio
from collections.abc import Sequence
from itertools import cycle, repeat

from benchmarks.client import request_bytes
from benchmarks.search.figures import Storm
from benchmarks.search.load import Ask, Observation, latencies_of, send
from benchmarks.search.writes import share_asks

CLIENTS = 64
READERS = 2
WRITERS = 2

_IDLE_PART = 0.5


async def measure_storm(
    base_url: str, costliest: Ask, *, seconds: float, texts: Sequence[str], token: str
) -> Storm:
    """Run the others alone, then during the storm, for `seconds`."""
    idle = await _others(base_url, seconds * _IDLE_PART, texts, token)
    storm = send(base_url, repeat(costliest), clients=CLIENTS, seconds=seconds)
    searches, others = await asyncio.gather(storm, _others(base_url, seconds, texts, token))
    refused = sum(one.refused for one in searches)
    return Storm(
        kind=costliest.kind,
        term=costliest.term,
        username=costliest.username,
        clients=CLIENTS,
        seconds=seconds,
        answered=len(searches) - refused,
        refused=refused,
        searches=latencies_of(searches),
        others_idle=latencies_of(idle),
        others=latencies_of(others),
        others_refused=sum(one.refused for one in others),
    )


async def _others(
    base_url: str, seconds: float, texts: Sequence[str], token: str
) -> list[Observation]:
    lists = repeat(Ask("list", request_bytes("GET", "/api/thoughts/")))
    new_thoughts = cycle(share_asks(texts, token))
    readers, writers = await asyncio.gather(
        send(base_url, lists, clients=READERS, seconds=seconds),
        send(base_url, new_thoughts, clients=WRITERS, seconds=seconds),
    )
    return readers + writers
