"""The cost of the search index when a thought is shared."""

import asyncio
import json
from collections.abc import Iterator, Sequence

import asyncpg
import psutil

from benchmarks.client import request_bytes
from benchmarks.measuring import CpuClock, Server
from benchmarks.search.database import INDEX
from benchmarks.search.figures import Writes
from benchmarks.search.load import Ask, latencies_of, send

_INSERT = (
    "INSERT INTO thoughts (user_id, username, text) VALUES ($1, $2, $3) "
    "RETURNING id, username, text, created_at"
)
_USER_ID = 1


async def measure_writes(
    database_url: str, backend: Server, postgres_pid: int, *, texts: Sequence[str], token: str
) -> Writes:
    """Insert each text twice and roll back, then POST each, one after the other."""
    with_index = await _insert_cpu_us(database_url, texts, keep_index=True)
    without = await _insert_cpu_us(database_url, texts, keep_index=False)
    clocks = [CpuClock([backend.pid]), CpuClock([postgres_pid])]
    posts = await send(backend.url, share_asks(texts, token))
    service_us, postgres_us = (clock.elapsed_seconds() * 1e6 / len(posts) for clock in clocks)
    return Writes(with_index, without, service_us, postgres_us, latencies_of(posts))


def share_asks(texts: Sequence[str], token: str) -> Iterator[Ask]:
    """Yield a request that shares each text; `token` is an Authorization header."""
    headers = {"Authorization": token, "Content-Type": "application/json"}
    for text in texts:
        body = json.dumps({"text": text}).encode()
        yield Ask("POST", request_bytes("POST", "/api/me/thoughts/", headers, body))


async def _insert_cpu_us(database_url: str, texts: Sequence[str], *, keep_index: bool) -> float:
    """Return PostgreSQL's CPU per insert, including the index work that is deferred."""
    connection = await asyncpg.connect(database_url)
    transaction = connection.transaction()
    await transaction.start()
    try:
        if keep_index:
            await _flush(connection)
        else:
            await connection.execute(f"DROP INDEX {INDEX}")
        statement = await connection.prepare(_INSERT)
        process = psutil.Process(connection.get_server_pid())
        before = await asyncio.to_thread(process.cpu_times)
        for text in texts:
            await statement.fetchrow(_USER_ID, "somebody", text)
        if keep_index:
            await _flush(connection)
        after = await asyncio.to_thread(process.cpu_times)
    finally:
        await transaction.rollback()
        await connection.close()
    seconds = after.user + after.system - before.user - before.system
    return seconds * 1e6 / len(texts)


async def _flush(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Merge GIN's pending list into the index."""
    await connection.fetchval("SELECT gin_clean_pending_list($1::regclass)", INDEX, timeout=None)
