"""How frequent a search expects a term to be, and which of its grams it looks up."""

import pytest

from thoughts_backend.frequencies import SHORT, Frequencies

FREQUENCIES = Frequencies({"the": 0.3, "hen": 0.05, "sai": 0.02, "aid": 0.04, "的的": 0.016})


@pytest.mark.parametrize(
    ("term", "frequency"),
    [("the", 0.3), ("then", 0.05), ("quo", 0.0), ("q", SHORT), ("的", SHORT)],
)
def test_a_term_is_expected_as_often_as_its_rarest_gram(term: str, frequency: float) -> None:
    """Nothing is known about a term that is shorter than a gram; walks should find it."""
    assert FREQUENCIES.expected(term) == frequency


def test_grams_that_do_not_overlap_are_expected_to_meet_by_chance() -> None:
    """Of the three ways to cut a term into grams, the one that makes it rarest counts."""
    frequencies = Frequencies({"abc": 0.5, "bcd": 0.4, "cde": 0.3, "def": 0.2})

    assert frequencies.expected("abcdef") == pytest.approx(0.5 * 0.2)


@pytest.mark.parametrize(
    ("term", "frequency"),
    [("then", 0.05), ("said", 0.02), ("quo", 0.008), ("th", 1.0), ("的", 1.0)],
)
def test_a_term_is_at_most_as_frequent_as_its_rarest_gram(term: str, frequency: float) -> None:
    """A gram that the statistics omit is rarer than the others; a shorter term need not be."""
    assert FREQUENCIES.at_most(term) == frequency


def test_without_statistics_a_term_can_be_in_all_thoughts() -> None:
    """Before the first statistics, nothing is known about a term."""
    assert (Frequencies({}).expected("quokka"), Frequencies({}).at_most("quokka")) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("term", "grams"),
    [
        ("the", ["the"]),
        ("these", ["hes", "ese"]),
        ("quokka", ["quo", "kka", "uok"]),
        ("said", ["sai", "aid"]),
        ("th", ["th"]),
        ("", []),
    ],
)
def test_the_rarest_grams_are_looked_up(term: str, grams: list[str]) -> None:
    """Grams in many thoughts are omitted, unless there are no others."""
    assert FREQUENCIES.grams_to_look_up(term) == grams


def test_a_term_of_common_grams_is_looked_up_by_its_rarest() -> None:
    """If all grams are in many thoughts, one of them is still needed."""
    assert Frequencies({"abc": 0.5, "bcd": 0.4}).grams_to_look_up("abcd") == ["bcd"]
