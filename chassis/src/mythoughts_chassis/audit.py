"""The audit log: who did what, to what, when and from where; it can only be added to.

Each backend has the table `audit`, which its migrations create with `CREATE_TABLE`. The events are
log lines as well.
"""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from mythoughts_chassis.clients import Client
from mythoughts_chassis.database import Connection, Database
from mythoughts_chassis.inputs import Id
from mythoughts_chassis.observation import log_audit
from mythoughts_chassis.pagination import Page, PageQuery
from mythoughts_chassis.tokens import Principal

# The service's role may only read and add (`migrations`).
CREATE_TABLE = """
    CREATE TABLE audit (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at timestamptz NOT NULL DEFAULT now(),
        event text NOT NULL,
        actor text NOT NULL,
        subject text NOT NULL,
        address text NOT NULL,
        request_id text NOT NULL
    )
"""

_INSERT = (
    "INSERT INTO audit (event, actor, subject, address, request_id) VALUES ($1, $2, $3, $4, $5)"
)


class AuditEntry(Struct, frozen=True):
    """One entry of the audit log."""

    id: Annotated[Id, Meta(examples=[17])]
    timestamp: Annotated[datetime, Meta(tz=True, description="When it happened, in UTC.")]
    event: Annotated[str, Meta(examples=["login failed"])]
    actor: Annotated[str, Meta(description="Who did it: a username, perhaps one that was typed.")]
    subject: Annotated[str, Meta(description="What it was done to; empty for the actor itself.")]
    address: Annotated[str, Meta(description="Where the request came from.")]
    request_id: Annotated[str, Meta(description="The id that the log lines of the request have.")]


async def record(
    where: "Connection | Database", event: str, client: Client, *, actor: str, subject: str = ""
) -> None:
    """Add an entry: within the transaction of a connection, or by itself to a database.

    The subject is left empty if it is the actor.
    """
    subject = "" if subject == actor else subject
    arguments = (event, actor, subject, client.address, client.request_id)
    if isinstance(where, Database):
        await where.execute(_INSERT, *arguments, repeatable=False)
    else:
        await where.execute(_INSERT, *arguments)
    log_audit(event, actor=actor, subject=subject, address=client.address)


async def read(
    database: Database, query: PageQuery, client: Client, reader: Principal
) -> Page[AuditEntry]:
    """Return the requested page of the log, newest first, and record who has read it."""
    rows = await database.fetch(
        "SELECT id, at, event, actor, subject, address, request_id FROM audit "
        f"WHERE id > $1 AND id < $2 ORDER BY id {query.order} LIMIT $3",
        query.above,
        query.below,
        query.limit + 1,
        repeatable=True,
    )
    await record(database, "audit log read", client, actor=reader.username)
    return query.page([AuditEntry(*row) for row in rows])
