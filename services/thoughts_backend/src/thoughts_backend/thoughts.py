"""The rules of thoughts."""

from dataclasses import replace

from prometheus_client import Counter

from mythoughts_chassis.database import Connection, Database
from mythoughts_chassis.pagination import Page
from mythoughts_chassis.problems import Conflict, Gone, NotFound, UnprocessableContent
from mythoughts_chassis.tokens import Principal
from thoughts_backend import list_queries, queries
from thoughts_backend.list_queries import Wanted
from thoughts_backend.schemas import OwnThoughtsQuery, Thought, shows_something
from thoughts_backend.search import Search
from thoughts_backend.search_steps import Found

_SHARED = Counter("thoughts_shared", "Thoughts that were stored.")


async def find(
    database: Database,
    search: Search,
    query: OwnThoughtsQuery,
    *,
    username: str = "",
    user_id: int | None = None,
) -> Page[Thought]:
    """Return the page that `query` selects from everybody's or one user's thoughts."""
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
        return _page(query, await search.find(database, wanted, limit))
    statement = list_queries.listing(wanted, limit=limit)
    rows = await database.run(lambda c: list_queries.fetch(c, statement), repeatable=True)
    return _page(query, Found(rows, None))


def _page(query: OwnThoughtsQuery, found: Found) -> Page[Thought]:
    page = query.page(found.thoughts)
    if found.reached is None or len(found.thoughts) > query.limit:
        return page
    # The search continues from the id that it has reached.
    if query.ascending:
        older_than = page.older_than or query.above + 1
        return replace(page, older_than=older_than, newer_than=found.reached)
    return replace(page, older_than=found.reached)


async def get(database: Database, thought_id: int) -> Thought:
    """Return the thought with this id; raises `NotFound`."""
    thought = await queries.find_thought(database, thought_id)
    if thought is None:
        raise NotFound("There is no thought with this id.")
    return thought


async def share(
    database: Database, author: Principal, text: str, *, idempotency_key: str | None
) -> Thought:
    """Store a thought and return it.

    Raises `Conflict` while another request with the same key is in progress,
    `UnprocessableContent` if the key was used for another text, and `Gone` if the thought
    shared with it has been deleted.
    """
    if idempotency_key is not None:
        return await database.run(
            lambda c: _share_once(c, author, text, idempotency_key), repeatable=True
        )
    thought = await queries.insert_thought(database, author.user_id, author.username, text)
    _SHARED.inc()
    return thought


async def _share_once(
    connection: Connection, author: Principal, text: str, idempotency_key: str
) -> Thought:
    async with connection.transaction():
        if not await queries.try_lock_key(connection, author.user_id, idempotency_key):
            raise Conflict("A request with this Idempotency-Key is still in progress.")
        earlier = await queries.find_answer(connection, author.user_id, idempotency_key)
        if earlier is None:
            thought = await queries.insert_thought_with_key(
                connection, author.user_id, author.username, text, idempotency_key
            )
    if earlier is not None:
        return _answered_before(earlier, text)
    _SHARED.inc()
    return thought


def _answered_before(earlier: queries.Answer, text: str) -> Thought:
    if earlier.thought.text != text:
        raise UnprocessableContent("This Idempotency-Key has already been used for another text.")
    if earlier.is_deleted:
        raise Gone("The thought that was shared with this Idempotency-Key has been deleted.")
    return earlier.thought


async def delete_own(database: Database, thought_id: int, user_id: int) -> None:
    """Delete one of the user's thoughts; raises `NotFound` if it is not theirs."""
    if not await queries.delete_thought_of(database, thought_id, user_id):
        raise NotFound("You have no thought with this id.")


async def delete_any(database: Database, thought_id: int) -> None:
    """Delete a thought, if it exists."""
    await queries.delete_thought(database, thought_id)
