"""Which steps a search takes, by what it has found."""

from collections.abc import Sequence

import pytest

from thoughts_backend.list_queries import Wanted
from thoughts_backend.search_plan import PACE, Blocks, Step, Walk, plan

LIMIT = 21
LONG_WALK = Walk(PACE.long_walk)
# What the first blocks must hold, so that not everything is searched.
FEW = LIMIT // PACE.rare
FIRST_BLOCKS = Blocks(PACE.first_ids, FEW, PACE.step_seconds)
QUICK, SLOW = 0.002, 0.02


def blocks(factor: int) -> Blocks:
    """The step that looks at so many times more than the first blocks."""
    return Blocks(factor * PACE.first_ids, seconds=PACE.step_seconds)


def steps_of(
    times: Sequence[float | None],
    *,
    grams: Sequence[str] = ("quo", "okk"),
    username: str = "",
    below: int = 2**30,
    is_dense: bool = False,
) -> list[Step]:
    """The first step after the walks, and the steps after each of these times."""
    wanted = Wanted("", username, user_id=None, above=0, below=below, ascending=False)
    steps = plan(PACE, wanted, grams, LIMIT, is_dense=is_dense)
    return [next(steps), *(steps.send(seconds) for seconds in times)]


def test_few_ids_are_all_searched_if_an_eighth_does_not_fill_the_page() -> None:
    """In a small database, the first step with the index is the last."""
    assert steps_of([], below=100_000) == [Blocks(12_501, LIMIT, PACE.step_seconds)]


def test_term_that_the_walks_have_found_often_is_looked_up_in_fewer_ids() -> None:
    """More ids would hold many more matches than a page."""
    assert steps_of([], is_dense=True) == [Blocks(PACE.near_ids, FEW, PACE.step_seconds)]


def test_blocks_grow_while_steps_are_quick() -> None:
    """Each step looks at more ids than the last, unless that would take too long."""
    assert steps_of([QUICK, QUICK, SLOW]) == [
        FIRST_BLOCKS,
        blocks(PACE.growth),
        blocks(PACE.growth**2),
        blocks(PACE.growth**2),
    ]


@pytest.mark.parametrize("before", [[], [QUICK]], ids=["everything", "larger blocks"])
def test_step_that_is_given_up_is_followed_by_the_first_blocks(before: list[float]) -> None:
    """After a step that took too long, the search continues in small blocks without a limit."""
    *_, last = steps_of([*before, None])

    assert last == Blocks(PACE.first_ids)


def test_short_term_is_read_on_if_the_index_has_too_many_matches() -> None:
    """Smaller blocks would not help: the index collects its matches in all ids each time."""
    assert steps_of([None, QUICK], grams=["qu"]) == [FIRST_BLOCKS, LONG_WALK, LONG_WALK]


def test_rare_short_term_is_looked_up_like_a_gram() -> None:
    """While the index is quick, blocks grow."""
    assert steps_of([QUICK], grams=["qu"]) == [FIRST_BLOCKS, blocks(PACE.growth)]


def test_short_term_of_an_author_is_read_if_the_index_takes_too_long() -> None:
    """A term shorter than a gram is looked up once; then the author's thoughts are read."""
    steps = steps_of([QUICK, None, QUICK], grams=["qu"], username="bruce")

    assert steps == [LONG_WALK, FIRST_BLOCKS, LONG_WALK, LONG_WALK]


def test_empty_term_is_never_looked_up() -> None:
    """A term that is empty after folding is in every thought, so the thoughts are read."""
    assert steps_of([QUICK, QUICK], grams=[]) == [LONG_WALK] * 3
