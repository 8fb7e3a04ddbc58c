"""Queues that are shared fairly between networks."""

from collections import Counter
from queue import Full

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mythoughts_chassis.fair_queue import FairQueue


def filled(items: str, *, places: int = 100, places_per_network: int = 100) -> FairQueue[str]:
    """A queue in which items such as "a1 b1", of networks a and b, wait."""
    queue = FairQueue[str](places=places, places_per_network=places_per_network)
    for item in items.split():
        queue.add(item[0], item)
    return queue


def drained(queue: FairQueue[str]) -> str:
    """The waiting items, in the order of their turns."""
    return " ".join(iter(queue.take, None))


@pytest.mark.parametrize(
    ("waiting", "turns"),
    [
        ("", ""),
        ("a1 a2 a3", "a1 a2 a3"),
        ("a1 a2 a3 b1 c1 b2", "a1 b1 c1 a2 b2 a3"),
        ("a1 a2 a3 a4 a5 b1", "a1 b1 a2 a3 a4 a5"),
    ],
)
def test_networks_take_turns(waiting: str, turns: str) -> None:
    """However many items a network has, the others wait for one of them at most."""
    assert drained(filled(waiting)) == turns


def test_newcomer_does_not_overtake() -> None:
    """A network that keeps coming back is behind those that wait."""
    queue = filled("a1 a2 b1")
    first = queue.take()
    queue.add("c", "c1")
    queue.add("a", "a3")

    assert (first, drained(queue)) == ("a1", "b1 a2 c1 a3")


def test_network_has_few_places() -> None:
    """A network that has used up its places is refused, while others are not."""
    queue = filled("a1 a2", places_per_network=2)

    with pytest.raises(Full):
        queue.add("a", "a3")
    assert queue.add("b", "b1") is None


def test_longest_line_gives_up_a_place() -> None:
    """When all places are taken, the last of the longest line makes room for a newcomer."""
    queue = filled("a1 a2 a3 b1", places=4)

    assert queue.add("c", "c1") == "a3"
    assert drained(queue) == "a1 b1 c1 a2"


def test_network_with_no_more_makes_no_room() -> None:
    """Places that are shared out evenly stay as they are."""
    queue = filled("a1 b1 a2 b2", places=4)
    queue.add("c", "c1")

    with pytest.raises(Full):
        queue.add("c", "c2")
    assert drained(queue) in ("a1 b1 c1 b2", "a1 b1 c1 a2")


def test_place_of_a_removed_item_is_free() -> None:
    """Removing an item frees its place; removing it again does nothing."""
    queue = filled("a1 a2", places_per_network=2)
    queue.remove("a", "a1")
    queue.remove("a", "a1")
    queue.remove("b", "b1")
    queue.add("a", "a3")

    assert drained(queue) == "a2 a3"


@settings(derandomize=True, database=None, deadline=None)
@given(st.lists(st.sampled_from("abcdef") | st.just("take"), max_size=200))
def test_every_item_is_served_displaced_or_refused(steps: list[str]) -> None:
    """Whatever comes, limits hold, and each item leaves the queue exactly once."""
    queue = FairQueue[int](places=5, places_per_network=3)
    left: list[int | None] = []
    for item, step in enumerate(steps):
        try:
            left.append(queue.take() if step == "take" else queue.add(step, item))
        except Full:
            left.append(item)
        assert len(queue) <= 5
    left += iter(queue.take, None)

    added = [item for item, step in enumerate(steps) if step != "take"]
    assert Counter(item for item in left if item is not None) == Counter(added)
