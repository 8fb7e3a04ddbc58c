"""Which steps a search takes, by what it has found."""

from collections.abc import Sequence

import pytest

from thoughts_backend.list_queries import Wanted
from thoughts_backend.search import PACE, Outcome, plan
from thoughts_backend.search_steps import Blocks, Everything, Step, Walk

LONG_WALK = Walk(PACE.growth * PACE.first_walk)
AUTHORS_LONG_WALK = Walk(PACE.growth * PACE.authors_walk)
FIRST_BLOCKS = Blocks(PACE.first_ids)
EVERYTHING = Everything(PACE.step_seconds)
NOTHING = Outcome(found=0, missing=21)


def blocks(factor: int) -> Blocks:
    """The step that looks at so many times more than the first blocks."""
    return Blocks(factor * PACE.first_ids, PACE.step_seconds)


def steps_of(
    outcomes: Sequence[Outcome | None],
    *,
    grams: Sequence[str] = ("quo", "okk"),
    username: str = "",
    below: int = 2**30,
) -> list[Step]:
    """The first step after the walks, and the steps after each of these outcomes."""
    wanted = Wanted("", username, user_id=None, above=0, below=below, ascending=False)
    steps = plan(PACE, wanted, grams)
    return [next(steps), *(steps.send(outcome) for outcome in outcomes)]


def test_rare_term_is_looked_up_in_all_ids() -> None:
    """If the first blocks hold next to nothing, all ids are searched at once."""
    assert steps_of([Outcome(found=1, missing=20)]) == [FIRST_BLOCKS, EVERYTHING]


def test_few_ids_are_all_searched_after_a_quarter_of_them() -> None:
    """In a small database, the second step with the index is the last."""
    found = steps_of([Outcome(found=5, missing=16)], below=100_000)

    assert found == [Blocks(25_001), EVERYTHING]


def test_blocks_grow_while_steps_are_quick() -> None:
    """Each step looks at more ids than the last, unless that would take too long."""
    quick, slow = Outcome(3, 18, seconds=0.002), Outcome(3, 15, seconds=0.02)

    assert steps_of([quick, quick, slow]) == [
        FIRST_BLOCKS,
        blocks(PACE.growth),
        blocks(PACE.growth**2),
        blocks(PACE.growth**2),
    ]


@pytest.mark.parametrize("before", [NOTHING, Outcome(5, 16)], ids=["everything", "larger blocks"])
def test_step_that_is_given_up_is_followed_by_the_first_blocks(before: Outcome) -> None:
    """After a step that took too long, the search continues in small blocks."""
    *_, last = steps_of([before, None])

    assert last == FIRST_BLOCKS


def test_short_term_of_an_author_is_read_if_the_index_takes_too_long() -> None:
    """A term shorter than a gram is looked up once; then the author's thoughts are read."""
    steps = steps_of([NOTHING, None, NOTHING], grams=["qu"], username="bruce")

    assert steps == [AUTHORS_LONG_WALK, EVERYTHING, AUTHORS_LONG_WALK, AUTHORS_LONG_WALK]


def test_empty_term_is_never_looked_up() -> None:
    """A term that is empty after folding is in every thought, so the thoughts are read."""
    assert steps_of([NOTHING, NOTHING], grams=[]) == [LONG_WALK] * 3
