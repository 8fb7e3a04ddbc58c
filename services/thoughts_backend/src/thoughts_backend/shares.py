"""How common terms are: the share of thoughts that have a term, by PostgreSQL's statistics.

They list the most frequent grams only, and know nothing about which occur together.
"""

from collections.abc import Mapping, Sequence
from math import prod

from thoughts_backend.grams import grams_apart, whole_grams

# How many grams of a search are looked up, rarest first. A fourth costs as much as it saves by
# ruling out candidates.
GRAMS = 3
# A gram that more thoughts have than this share costs more to look up than it saves.
COMMON_SHARE = 0.2


class Shares:
    """The shares of thoughts that have the most frequent grams: `frequencies` by gram."""

    def __init__(self, frequencies: Mapping[str, float]) -> None:
        self._known = _with_beginnings(frequencies)
        # No other gram is in more.
        self._least = min(frequencies.values(), default=1.0)

    def expected(self, term: str) -> float:
        """Estimate the share of a term, as if its grams were independent; 0 if one is not known."""
        cuts = [grams_apart(term, first) for first in range(3)]
        return min((prod(map(self._share, cut)) for cut in cuts if cut), default=self._share(term))

    def at_most(self, term: str) -> float:
        """Return what the share of a term cannot exceed: that of its rarest gram."""
        grams = whole_grams(term)
        return min((self._known.get(gram, self._least) for gram in grams), default=1.0)

    def grams_to_look_up(self, folded: str) -> Sequence[str]:
        """Return the rarest whole grams; if there are none, the term, which is a prefix."""
        # Grams that are not known keep their order: the first do not overlap.
        grams = dict.fromkeys(whole_grams(folded))
        rarest = sorted(grams, key=self._share)[:GRAMS]
        rare = [gram for gram in rarest if self._share(gram) < COMMON_SHARE]
        return rare or rarest[:1] or list(filter(None, [folded]))

    def _share(self, gram: str) -> float:
        return self._known.get(gram, 0.0)


def _with_beginnings(frequencies: Mapping[str, float]) -> dict[str, float]:
    """Add the beginnings of grams, each with the share of the most frequent gram that has it."""
    shares: dict[str, float] = {}
    for gram, frequency in frequencies.items():
        for length in range(1, len(gram) + 1):
            beginning = gram[:length]
            shares[beginning] = max(frequency, shares.get(beginning, 0.0))
    return shares
