"""The SQL of lists and searches.

Texts are searched in the form that `fold_text` gives them (migration 0003). Names are compared
case folded in full by PostgreSQL's built-in provider, the same on every installation, then
normalized (NFC).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mythoughts_chassis.database import Connection
from thoughts_backend.schemas import Thought

# The first character whose grams have two characters, not three (migration 0002).
WIDE = "\u2e80"

_COLUMNS = "id, username, text, created_at"


@dataclass(frozen=True, slots=True)
class Wanted:
    """The thoughts with ids above `above` and below `below` that pass the filters.

    A filter that is empty or None does not filter; `search` is in the text, both folded.
    `ascending` tells which come first.
    """

    search: str
    username: str
    user_id: int | None
    above: int
    below: int
    ascending: bool


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement and its arguments."""

    sql: str
    arguments: list[object]


async def fetch(connection: Connection, statement: Statement) -> list[Thought]:
    """Return the thoughts that the statement selects, in its order."""
    rows = await connection.fetch(statement.sql, *statement.arguments)
    return [Thought(*row) for row in rows]


async def fetch_id(connection: Connection, statement: Statement) -> int | None:
    """Return the id that the statement selects, or None."""
    thought_id: int | None = await connection.fetchval(statement.sql, *statement.arguments)
    return thought_id


async def fetch_grams(connection: Connection, search: str) -> tuple[list[str], int]:
    """Return the grams of a search (migration 0002), and the newest id."""
    newest_id = "SELECT coalesce(max(id), 0) FROM thoughts"
    row = await connection.fetchrow(f"SELECT text_grams(fold_text($1)), ({newest_id})", search)
    return tuple(row or ([], 0))


async def fetch_frequencies(connection: Connection) -> dict[str, float]:
    """Return how frequent common terms of the index are: the share of thoughts that have them.

    From PostgreSQL's statistics; empty while there are none.
    """
    row = await connection.fetchrow("""
        SELECT most_common_elems::text::text[], most_common_elem_freqs FROM pg_stats
        WHERE schemaname = current_schema
        AND tablename = 'thoughts_search' AND attname = 'thought_terms'
    """)
    terms, frequencies = row or (None, None)
    return dict(zip(terms or (), frequencies or (), strict=False))


def listing(wanted: Wanted, *, limit: int) -> Statement:
    """Select the first of the thoughts, whatever their texts are."""
    arguments = _Arguments()
    sql = f"""
        SELECT {_COLUMNS} FROM thoughts WHERE {_range_and_author(wanted, arguments)}
        ORDER BY id {_order(wanted)} LIMIT {arguments.add(limit)}
    """
    return Statement(sql, arguments)


def walk(wanted: Wanted, *, length: int, limit: int) -> Statement:
    """Select the first matches among the first `length` thoughts, read one after the other."""
    arguments = _Arguments()
    sql = f"""
        SELECT {_COLUMNS} FROM (
            SELECT {_COLUMNS}, folded_text FROM thoughts
            WHERE {_range_and_author(wanted, arguments)}
            ORDER BY id {_order(wanted)} LIMIT {arguments.add(length)}
        ) AS walked
        WHERE {_contains(wanted, arguments)}
        ORDER BY id {_order(wanted)} LIMIT {arguments.add(limit)}
    """
    return Statement(sql, arguments)


def end_of_walk(wanted: Wanted, *, length: int) -> Statement:
    """Select the id of the last thought of a walk; none if there are not so many."""
    arguments = _Arguments()
    sql = f"""
        SELECT id FROM thoughts WHERE {_range_and_author(wanted, arguments)}
        ORDER BY id {_order(wanted)} LIMIT 1 OFFSET {arguments.add(length - 1)}
    """
    return Statement(sql, arguments)


def by_index(
    wanted: Wanted, grams: Sequence[str], *, bits: int, blocks: Sequence[int], limit: int
) -> Statement:
    """Select the first matches by the index of terms: in some blocks of 2 ** `bits` ids, or in all.

    A single gram that is not whole is the beginning of the terms to look for.
    """
    arguments = _Arguments()
    # The index of terms is the only one that fits inside: there is no range or order yet.
    sql = f"""
        WITH found AS MATERIALIZED (
            SELECT {_COLUMNS}, user_id FROM thoughts
            WHERE {_has_terms(wanted, grams, bits, blocks, arguments)}
            AND {_contains(wanted, arguments)}
        )
        SELECT {_COLUMNS} FROM found WHERE {_range_and_author(wanted, arguments)}
        ORDER BY id {_order(wanted)} LIMIT {arguments.add(limit)}
    """
    return Statement(sql, arguments)


def is_whole(gram: str) -> bool:
    """Return whether a gram is one of a text's place, and not cut off at its end."""
    return len(gram) == (2 if gram >= WIDE else 3)


class _Arguments(list[object]):
    """The arguments of a statement, each with its placeholder."""

    def add(self, value: object) -> str:
        """Add an argument and return what stands for it."""
        self.append(value)
        return f"${len(self)}"


def _range_and_author(wanted: Wanted, arguments: _Arguments) -> str:
    # Only the filters that are there stand in the text, so that each combination is planned
    # for its own index.
    conditions = [f"id > {arguments.add(wanted.above)}", f"id < {arguments.add(wanted.below)}"]
    if wanted.user_id is not None:
        conditions.append(f"user_id = {arguments.add(wanted.user_id)}")
    if wanted.username:
        conditions.append(f"{_folded('username')} = {_folded(arguments.add(wanted.username))}")
    return " AND ".join(conditions)


def _contains(wanted: Wanted, arguments: _Arguments) -> str:
    # A subquery is evaluated once; an expression of arguments would be for each row.
    # Escaped once it is folded: a full-width percent sign folds to one that LIKE knows.
    folded = f"fold_text({arguments.add(wanted.search)})"
    escaped = rf"regexp_replace({folded}, '[\\%_]', '\\\&', 'g')"
    return f"folded_text LIKE (SELECT '%' || {escaped} || '%') COLLATE \"C\""


def _has_terms(
    wanted: Wanted,
    grams: Sequence[str],
    bits: int,
    blocks: Sequence[int],
    arguments: _Arguments,
) -> str:
    """Return the conditions that the index of terms serves (migration 0002).

    Conditions that stand apart let PostgreSQL skip in each term's list to where the others go on;
    within one query it would read the whole list of the rarest.
    """
    queries = [f"term_query({arguments.add(gram)}::text)" for gram in grams]
    if not is_whole(grams[0]):
        queries = [f"({queries[0]}::text || ':*')::tsquery"]
    if blocks:
        term = f"term_query(E'\\x1f{bits}:' || number)::text"
        numbers = f"unnest({arguments.add(list(blocks))}::bigint[]) number"
        queries.append(f"string_agg({term}, '|')::tsquery FROM {numbers}")
    if wanted.user_id is not None:
        queries.append(f"term_query(E'\\x1fid:' || {arguments.add(wanted.user_id)}::bigint)")
    if wanted.username:
        queries.append(f"term_query(E'\\x1fname:' || {_folded(arguments.add(wanted.username))})")
    terms = "thought_terms(id, user_id, username, folded_text)"
    return " AND ".join(f"{terms} @@ (SELECT {query})" for query in queries)


def _order(wanted: Wanted) -> str:
    return "ASC" if wanted.ascending else "DESC"


def _folded(expression: str) -> str:
    return f"normalize(casefold({expression}::text COLLATE pg_unicode_fast))"
