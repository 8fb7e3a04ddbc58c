"""How frequent terms are, by PostgreSQL's statistics: a frequency is a fraction of all thoughts.

They list the most frequent grams only, and know nothing about which occur together.
"""

from collections.abc import Mapping, Sequence
from math import prod

from thoughts_backend.grams import grams_apart, whole_grams

# How many grams of a search are looked up, rarest first. A fourth costs as much as it saves by
# ruling out candidates.
GRAMS = 3
# A gram that is more frequent than this costs more to look up than it saves.
COMMON = 0.2
# What is expected of a term that is shorter than a gram. For such terms a longer walk pays: the
# index collects all terms with a prefix, however many, before it considers anything else.
SHORT = 0.08


class Frequencies:
    """Estimates the frequency of any term from the `known` ones, of the most frequent grams."""

    def __init__(self, known: Mapping[str, float]) -> None:
        self._known = known
        # Other grams are rarer than the least frequent of these, most of them by far.
        self._others = min(known.values(), default=2.0) / 2

    def expected(self, term: str) -> float:
        """Return the frequency of a term if its grams are independent; 0 if one is not known."""
        cuts = [grams_apart(term, first) for first in range(3)]
        return min((prod(map(self._frequency, cut)) for cut in cuts if cut), default=SHORT)

    def at_most(self, term: str) -> float:
        """Return the highest frequency that a term can have: that of its rarest gram."""
        grams = whole_grams(term)
        return min((self._known.get(gram, self._others) for gram in grams), default=1.0)

    def grams_to_look_up(self, folded: str) -> Sequence[str]:
        """Return the rarest whole grams; if there are none, the term, which is a prefix."""
        # Grams that are not known keep their order: the first do not overlap.
        grams = dict.fromkeys(whole_grams(folded))
        rarest = sorted(grams, key=self._frequency)[:GRAMS]
        rare = [gram for gram in rarest if self._frequency(gram) < COMMON]
        return rare or rarest[:1] or list(filter(None, [folded]))

    def _frequency(self, gram: str) -> float:
        return self._known.get(gram, 0.0)
