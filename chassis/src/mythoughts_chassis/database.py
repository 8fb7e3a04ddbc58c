"""PostgreSQL: one connection pool per process, which survives database outages.

The request's deadline (`endpoints`) limits statements and the wait for a connection: cancelling a
request cancels its statement. If the server does not respond even to that, the connection is
closed soon after.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

import asyncpg
import structlog
from prometheus_client import Counter, Gauge

from mythoughts_chassis.api_tracing import traced_connection
from mythoughts_chassis.asgi import REQUEST_SECONDS
from mythoughts_chassis.logs import first_line
from mythoughts_chassis.pool import Pool, PooledConnection
from mythoughts_chassis.problems import Unavailable
from mythoughts_chassis.settings import Secret

if TYPE_CHECKING:
    from mythoughts_chassis.tracing import Tracing

CONNECT_SECONDS = 2.0
# Slightly longer than a request may take, counted from the loan: a connection held longer is stuck
# in the rollback, or in the reset, of a request that has timed out.
HELD_SECONDS = REQUEST_SECONDS + 0.25
READY_SECONDS = 1.0

Connection: TypeAlias = PooledConnection
T = TypeVar("T")

# Errors of a database that is stopping, down, starting, not set up or out of resources.
_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.UndefinedTableError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)
# Not retried: after the other errors the server may be back, but a request that timed out once
# would time out again.
_TIME_IS_UP = (TimeoutError, asyncpg.QueryCanceledError)

_log = structlog.get_logger()

_ROLE = ["role"]
_MAX = Gauge("database_pool_connections_max", "Maximum number of connections.", _ROLE)
_OPEN = Gauge("database_pool_connections_open", "Open connections.", _ROLE)
_IN_USE = Gauge("database_pool_connections_in_use", "Connections serving a request.", _ROLE)
_WAITING = Gauge("database_pool_requests_waiting", "Requests waiting for a connection.", _ROLE)
_FAILURES = Counter(
    "database_failures", "Requests and readiness checks that the database did not answer.", _ROLE
)


class Database:
    """A pool of connections, which are opened when they are needed; `close` it at the end.

    `application_name` is shown in PostgreSQL; `role` labels the metrics. With `tracing`, each
    statement of a traced request has a span.
    """

    def __init__(
        self,
        url: Secret,
        *,
        pool_size: int,
        application_name: str,
        role: Literal["primary", "replica"] = "primary",
        tracing: "Tracing | None" = None,
    ) -> None:
        self._url = url.reveal()
        self._server_settings = {
            "application_name": application_name,
            "timezone": "UTC",
            # JIT compilation and parallel workers take longer to start than most statements run.
            "jit": "off",
            "max_parallel_workers_per_gather": "0",
            # Plan each statement once per connection. By default PostgreSQL plans lists of large
            # tables again for every request, because it assumes that an unknown LIMIT is large.
            "plan_cache_mode": "force_generic_plan",
        }
        self._connection_class: type[Connection] = (
            asyncpg.Connection if tracing is None else traced_connection(tracing)
        )
        self._role = role
        self._failures = _FAILURES.labels(role)
        self._probe: Connection | None = None
        self._probe_lock = asyncio.Lock()
        self._pool = pool = Pool(self._connect, size=pool_size, held_seconds=HELD_SECONDS)
        _MAX.labels(role).set(pool_size)
        _OPEN.labels(role).set_function(lambda: len(pool.lent) + len(pool.idle))
        _IN_USE.labels(role).set_function(lambda: len(pool.lent))
        _WAITING.labels(role).set_function(lambda: pool.waiting)

    def close(self) -> None:
        """Close all connections, at once."""
        self._pool.terminate()
        self._drop_probe()

    async def run(self, work: Callable[[Connection], Awaitable[T]], *, repeatable: bool) -> T:
        """Return the result of `work` with a connection; raises `Unavailable`.

        With `repeatable`, work is retried once if its connection is lost. Set it only if doing the
        work twice does no harm: the outcome of a write is unknown in that case.
        """
        try:
            try:
                return await self._pool.run(work)
            except asyncpg.InvalidCachedStatementError:
                # The schema changed under a prepared statement; nothing was done.
                pass
            except _AWAY as error:
                if not repeatable or isinstance(error, _TIME_IS_UP) or _request_is_over():
                    raise
                # The others are probably lost too.
                self._pool.close_idle()
            return await self._pool.run(work)
        except _AWAY as error:
            raise self._unavailable(error) from error

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Make a block one transaction, which is never repeated; raises `Unavailable`."""
        try:
            async with self._pool.lend() as connection, connection.transaction():
                yield connection
        except asyncpg.InvalidCachedStatementError as error:
            # As in `run`, but the block cannot be repeated. The others would fail in the same way.
            self._pool.close_idle()
            raise self._unavailable(error) from error
        except _AWAY as error:
            raise self._unavailable(error) from error

    async def fetch(self, sql: str, *arguments: object, repeatable: bool) -> list[asyncpg.Record]:
        """Return the rows of one statement; `run` describes `repeatable` and the errors."""
        return await self.run(lambda c: c.fetch(sql, *arguments), repeatable=repeatable)

    async def fetchrow(
        self, sql: str, *arguments: object, repeatable: bool
    ) -> asyncpg.Record | None:
        """Return the first row of one statement, or None."""
        return await self.run(lambda c: c.fetchrow(sql, *arguments), repeatable=repeatable)

    async def execute(self, sql: str, *arguments: object, repeatable: bool) -> str:
        """Run one statement and return its status, such as "DELETE 1"."""
        return await self.run(lambda c: c.execute(sql, *arguments), repeatable=repeatable)

    async def check_ready(self) -> None:
        """Raise `Unavailable` unless the database answers and is migrated.

        The check has its own connection, so a busy pool does not make the service unready.
        """
        try:
            async with asyncio.timeout(READY_SECONDS), self._probe_lock:
                if self._probe is None or self._probe.is_closed():
                    self._probe = await self._connect()
                await self._probe.fetchval("SELECT version_num FROM alembic_version")
        except _AWAY as error:
            self._drop_probe()
            raise self._unavailable(error) from error

    async def _connect(self) -> Connection:
        return await asyncpg.connect(
            self._url,
            timeout=CONNECT_SECONDS,
            server_settings=self._server_settings,
            connection_class=self._connection_class,
        )

    def _unavailable(self, error: BaseException) -> Unavailable:
        self._failures.inc()
        _log.warning(
            "database unavailable",
            role=self._role,
            error=type(error).__name__,
            reason=first_line(error),
        )
        return Unavailable("The database cannot be reached at the moment. Please try again.")

    def _drop_probe(self) -> None:
        if self._probe is not None:
            self._probe.terminate()
            self._probe = None


def _request_is_over() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
