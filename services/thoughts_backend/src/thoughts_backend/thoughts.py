"""The rules of thoughts."""

from dataclasses import replace
from functools import partial

from mythoughts_chassis import audit
from mythoughts_chassis.clients import Client
from mythoughts_chassis.database import Connection, Database
from mythoughts_chassis.pagination import Page
from mythoughts_chassis.problems import NotFound
from mythoughts_chassis.tokens import Principal
from thoughts_backend import list_queries, queries
from thoughts_backend.list_queries import Found, Wanted
from thoughts_backend.schemas import OwnThoughtsQuery, Thought, shows_something
from thoughts_backend.search import Search

# How many thoughts one transaction deletes: it takes about 0.05 s.
DELETED_AT_ONCE = 10_000


async def find(
    database: Database,
    search: Search,
    query: OwnThoughtsQuery,
    *,
    username: str = "",
    user_id: int | None = None,
) -> Page[Thought]:
    """Return the page that `query` selects from everybody's or one user's thoughts.

    The user comes by name, which the query for one's own thoughts does not have, or by id.
    """
    wanted = Wanted(
        search=query.search if shows_something(query.search) else "",
        username=username,
        user_id=user_id,
        above=query.above,
        below=query.below,
        ascending=query.ascending,
    )
    # One extra thought shows whether there are more.
    limit = query.limit + 1
    if wanted.search:
        return _search_page(query, await search.find(database, wanted, limit))
    statement = list_queries.listing(wanted, limit=limit)
    rows = await database.run(lambda c: list_queries.fetch(c, statement), repeatable=True)
    return query.page(rows)


def _search_page(query: OwnThoughtsQuery, found: Found) -> Page[Thought]:
    page = query.page(found.thoughts)
    if found.reached is None or len(found.thoughts) > query.limit:
        return page
    # The search continues from the id that it has reached.
    if query.ascending:
        # Ids begin with 1.
        older_than = page.older_than or (query.above + 1 if query.above else None)
        return replace(page, older_than=older_than, newer_than=found.reached)
    return replace(page, older_than=found.reached)


async def get(database: Database, thought_id: int) -> Thought:
    """Return the thought with this id; raises `NotFound`."""
    thought = await queries.find_thought(database, thought_id)
    if thought is None:
        raise NotFound("There is no thought with this id.")
    return thought


async def delete_own(database: Database, thought_id: int, user_id: int) -> None:
    """Delete one of the user's thoughts; raises `NotFound` if it is not theirs."""
    username = await database.run(
        lambda c: queries.delete_thought(c, thought_id, user_id), repeatable=True
    )
    if username is None:
        raise NotFound("You have no thought with this id.")


async def delete_all_own(database: Database, author: Principal, client: Client) -> None:
    """Delete all of the user's thoughts, and clear their stored answers.

    This takes several transactions: if the request runs out of time, the next one continues.
    """
    deleted_up_to: int | None = 0
    while deleted_up_to is not None:
        delete_some = partial(_delete_some, author=author, client=client, after=deleted_up_to)
        deleted_up_to = await database.run(delete_some, repeatable=True)


async def _delete_some(
    connection: Connection, *, author: Principal, client: Client, after: int
) -> int | None:
    """Delete some of the user's thoughts, in the order of their ids; return the highest id.

    The first of them are recorded.
    """
    async with connection.transaction():
        highest = await queries.delete_thoughts(
            connection, author.user_id, above=after, limit=DELETED_AT_ONCE
        )
        if highest is not None and not after:
            await audit.record(connection, "thoughts deleted", client, actor=author.username)
    return highest


async def delete_any(database: Database, thought_id: int, admin: Principal, client: Client) -> None:
    """Delete a thought, if it exists, and record which admin did it."""
    await database.run(lambda c: _delete_any(c, thought_id, admin, client), repeatable=True)


async def _delete_any(
    connection: Connection, thought_id: int, admin: Principal, client: Client
) -> None:
    async with connection.transaction():
        username = await queries.delete_thought(connection, thought_id)
        if username is not None:
            subject = f"thought {thought_id} by {username}"
            await audit.record(
                connection, "thought deleted", client, actor=admin.username, subject=subject
            )
