"""The SQL of lists and searches.

Texts are searched as folded by `fold_text` (migration 0001). Names are compared after full case
folding by PostgreSQL's built-in provider, which is the same on every installation, and
normalization (NFC).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mythoughts_chassis.database import Connection
from thoughts_backend.grams import is_whole
from thoughts_backend.schemas import Thought

# The sizes of the blocks that the index knows, largest first.
BLOCK_BITS = (24, 20, 16, 13)

_COLUMNS = "id, username, text, created_at"
_TERMS = "thought_terms(id, user_id, username, folded_text)"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A selection of thoughts: ids above `above` and below `below` that match the filters.

    An empty filter or None matches everything. The text contains `search`, both folded: `search`
    may be folded only once, and `is_folded` says that it has been. `ascending` sets the order.
    """

    search: str
    username: str
    user_id: int | None
    above: int
    below: int
    ascending: bool
    is_folded: bool = False

    @property
    def by_author(self) -> bool:
        """Whether it is limited to one author's thoughts."""
        return self.user_id is not None or bool(self.username)


@dataclass(frozen=True, slots=True)
class Found:
    """Matches, in the requested order.

    All thoughts up to the id `reached` have been searched; None means that none are left.
    """

    thoughts: list[Thought]
    reached: int | None


@dataclass(frozen=True, slots=True)
class Walked(Found):
    """The matches among the thoughts that a walk has read, and what further steps must know.

    `folded` is the search as `fold_text` folds it. It and `newest_id` are missing if the walk found
    as many matches as it could return.
    """

    folded: str = ""
    newest_id: int = 0


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement and its arguments."""

    sql: str
    arguments: list[object]


async def fetch(connection: Connection, statement: Statement) -> list[Thought]:
    """Return the thoughts that the statement selects, in order."""
    rows = await connection.fetch(statement.sql, *statement.arguments)
    return [Thought(*row) for row in rows]


async def fetch_walk(connection: Connection, wanted: Wanted, *, length: int, limit: int) -> Walked:
    """Read the first `length` thoughts one by one, until `limit` of them match."""
    statement = walk(wanted, length=length, limit=limit)
    rows = await connection.fetch(statement.sql, *statement.arguments)
    thoughts = [Thought(*row[:4]) for row in rows if row["newest_id"] is None]
    if len(thoughts) == limit:
        return Walked(thoughts, thoughts[-1].id)
    last = rows[-1]
    return Walked(thoughts, last["id"], last["text"], last["newest_id"])


async def fetch_frequencies(connection: Connection) -> dict[str, float]:
    """Return the frequencies of the index's common terms: the share of thoughts with each term.

    They come from PostgreSQL's statistics; empty while there are none.
    """
    ((terms, frequencies),) = await connection.fetch("SELECT * FROM search_frequencies()")
    return dict(zip(terms or (), frequencies or (), strict=False))


def listing(wanted: Wanted, *, limit: int) -> Statement:
    """Select the first thoughts, whatever their texts."""
    arguments = _Arguments()
    sql = f"""
        SELECT {_COLUMNS} FROM thoughts WHERE {_range_and_author(wanted, arguments)}
        ORDER BY id {_order(wanted)} LIMIT {arguments.add(limit)}
    """
    return Statement(sql, arguments)


def walk(wanted: Wanted, *, length: int, limit: int) -> Statement:
    """Select the first matches by reading the first `length` thoughts one by one.

    If there are fewer than `limit`, another row follows: the last id of the walk, or NULL if there
    are fewer thoughts; the search, folded, as `text`; the newest id.
    """
    arguments = _Arguments()
    selected = f"""
        FROM thoughts WHERE {_range_and_author(wanted, arguments)} ORDER BY id {_order(wanted)}
    """
    limit_argument, search = arguments.add(limit), f"{arguments.add(wanted.search)}::text"
    sql = f"""
        WITH term AS MATERIALIZED (
            SELECT {search if wanted.is_folded else f"fold_text({search})"} AS folded
        ), found AS MATERIALIZED (
            SELECT {_COLUMNS} FROM (
                SELECT {_COLUMNS}, folded_text {selected} LIMIT {arguments.add(length)}
            ) AS walked
            WHERE strpos(folded_text, (SELECT folded FROM term)) > 0
            ORDER BY id {_order(wanted)} LIMIT {limit_argument}
        )
        SELECT {_COLUMNS}, NULL::bigint AS newest_id FROM found
        UNION ALL
        SELECT (SELECT id {selected} LIMIT 1 OFFSET {arguments.add(length - 1)}), NULL,
            folded, NULL, coalesce((SELECT max(id) FROM thoughts), 0)
        FROM term WHERE (SELECT count(*) FROM found) < {limit_argument}
    """
    return Statement(sql, arguments)


def by_index(
    near: Wanted,
    wanted: Wanted,
    grams: Sequence[str],
    *,
    blocks: Sequence[int],
    bits: int,
    enough: int,
    limit: int,
) -> Statement:
    """Select the first matches with the term index: those of `near`, or all.

    `near` is the part of `wanted` in some blocks of 2 ** `bits` ids. If it has fewer than `enough`
    matches, which are at most `limit`, all ids are searched. The search must be folded. A single
    gram that is not whole is a prefix of the terms to find.
    """
    arguments = _Arguments()
    limit_argument, enough_argument = arguments.add(limit), arguments.add(enough)
    contains = f"strpos(folded_text, {arguments.add(wanted.search)}) > 0"
    matches = f"{_has_terms(wanted, grams, arguments)} AND {contains}"
    near_matches = f"{matches} AND {_in_blocks(blocks, bits, arguments)}"
    sql = f"""
        WITH near AS MATERIALIZED ({_indexed(near, near_matches, arguments, limit_argument)})
        SELECT * FROM near WHERE (SELECT count(*) FROM near) >= {enough_argument}
        UNION ALL
        SELECT * FROM ({_indexed(wanted, matches, arguments, limit_argument)}) AS everything
        WHERE (SELECT count(*) FROM near) < {enough_argument}
    """
    return Statement(sql, arguments)


def _indexed(wanted: Wanted, matches: str, arguments: "_Arguments", limit: str) -> str:
    # Without range or order, the term index is the only one that fits the inner query. OFFSET 0
    # keeps the planner from merging it with the outer one.
    return f"""
        SELECT {_COLUMNS} FROM (
            SELECT {_COLUMNS}, user_id FROM thoughts WHERE {matches} OFFSET 0
        ) AS found
        WHERE {_range_and_author(wanted, arguments)}
        ORDER BY id {_order(wanted)} LIMIT {limit}
    """


def block_bits(ids: int) -> int:
    """Return the size of the largest blocks of which `ids` ids fill at least one, or the smallest.

    A block has 2 ** bits ids.
    """
    return next((bits for bits in BLOCK_BITS if ids >> bits), BLOCK_BITS[-1])


class _Arguments(list[object]):
    """The arguments of a statement, numbered by placeholders."""

    def add(self, value: object) -> str:
        """Add an argument and return its placeholder."""
        self.append(value)
        return f"${len(self)}"


def _range_and_author(wanted: Wanted, arguments: _Arguments) -> str:
    # The statement contains only the filters in use, so that each combination gets its own plan
    # and index.
    conditions = [f"id > {arguments.add(wanted.above)}", f"id < {arguments.add(wanted.below)}"]
    if wanted.user_id is not None:
        conditions.append(f"user_id = {arguments.add(wanted.user_id)}")
    if wanted.username:
        conditions.append(f"{_folded('username')} = {_folded(arguments.add(wanted.username))}")
    return " AND ".join(conditions)


def _has_terms(wanted: Wanted, grams: Sequence[str], arguments: _Arguments) -> str:
    """Return the conditions that use the term index (migration 0001).

    With separate conditions PostgreSQL can skip ahead in each term's list to the next match of the
    others; in a single query it would read the whole list of the rarest term.
    """
    queries = [f"term_query({arguments.add(gram)}::text)" for gram in grams]
    if not is_whole(grams[0]):
        queries = [f"({queries[0]}::text || ':*')::tsquery"]
    if wanted.user_id is not None:
        queries.append(f"term_query(E'\\x1fid:' || {arguments.add(wanted.user_id)}::bigint)")
    if wanted.username:
        queries.append(f"term_query(E'\\x1fname:' || {_folded(arguments.add(wanted.username))})")
    return " AND ".join(f"{_TERMS} @@ (SELECT {query})" for query in queries)


def _in_blocks(blocks: Sequence[int], bits: int, arguments: _Arguments) -> str:
    term = f"term_query(E'\\x1f{bits}:' || number)::text"
    numbers = f"unnest({arguments.add(list(blocks))}::bigint[]) number"
    return f"{_TERMS} @@ (SELECT string_agg({term}, '|')::tsquery FROM {numbers})"


def _order(wanted: Wanted) -> str:
    return "ASC" if wanted.ascending else "DESC"


def _folded(expression: str) -> str:
    return f"normalize(casefold({expression}::text COLLATE pg_unicode_fast))"
