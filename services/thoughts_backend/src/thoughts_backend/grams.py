"""The grams of a term, by which the term index finds the thoughts that may contain it."""

# From this character on, grams have two characters instead of three (migration 0001).
WIDE = "\u2e80"


def whole_grams(folded: str) -> list[str]:
    """Return the grams of a folded text, as `text_grams` cuts it, except those at its end.

    Those that overlap none before them come first.
    """
    return [gram for first in range(3) for gram in grams_apart(folded, first)]


def grams_apart(folded: str, first: int) -> list[str]:
    """Return the whole grams at every third character from `first` on: they do not overlap."""
    starts = range(first, len(folded), 3)
    grams = (folded[start : start + (2 if folded[start] >= WIDE else 3)] for start in starts)
    return list(filter(is_whole, grams))


def is_whole(gram: str) -> bool:
    """Return whether a gram is whole, not cut off at the end of the text."""
    return len(gram) == (2 if gram >= WIDE else 3)
