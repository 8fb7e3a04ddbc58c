"""Finds terms of a given frequency in a sample of thoughts, always the same for a sample."""

import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice

TERMS = 8

_SEED = 4
# Shares of the thoughts: over 1 % is very common.
_MIDDLING_FROM = 0.0001
_MIDDLING_TO = 0.001
_ONE_PERCENT = (0.008, 0.012)


class Sample:
    """Thoughts in folded form, as they are searched. A pattern (`re`) defines the possible terms.

    The pattern's group, if it has one, is the term, so that a look-ahead finds overlapping terms.
    The methods return at most `count` terms, or fewer if there are no more.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self.random = random.Random(_SEED)
        self._frequencies: dict[str, Counter[str]] = {}

    def common(self, pattern: str, count: int = TERMS) -> tuple[str, ...]:
        """Return the most frequent terms."""
        return tuple(term for term, _ in self._ranking(pattern)[:count])

    def in_one_percent(self, pattern: str, count: int = TERMS) -> tuple[str, ...]:
        """Return the most frequent terms that occur in 0.8 to 1.2 % of the thoughts."""
        least, most = (share * len(self.texts) for share in _ONE_PERCENT)
        near = [term for term, found in self._ranking(pattern) if found <= most]
        return tuple(islice((one for one in near if least <= self.matches(one) <= most), count))

    def middling(self, pattern: str, count: int = TERMS) -> tuple[str, ...]:
        """Return terms that occur in 0.01 to 0.1 % of the thoughts, and in at least two."""
        least = max(2.0, _MIDDLING_FROM * len(self.texts))
        most = max(4.0, _MIDDLING_TO * len(self.texts))
        near = [term for term, found in self._ranking(pattern) if least <= found <= most]
        fitting = (term for term in self._shuffled(near) if least <= self.matches(term) <= most)
        return tuple(islice(fitting, count))

    def rare(self, pattern: str, count: int = TERMS) -> tuple[str, ...]:
        """Return terms in one thought: of 100 times as many, about 50 have them (Good, 1953)."""
        near = [term for term, found in self._ranking(pattern) if found == 1]
        return tuple(islice((one for one in self._shuffled(near) if self.matches(one) == 1), count))

    def least(self, pattern: str, count: int = TERMS) -> tuple[str, ...]:
        """Return the terms in the fewest thoughts, for patterns with hardly any in just one."""
        return tuple(term for term, _ in self._ranking(pattern)[-count:])

    def absent(self, terms: Iterable[str], count: int = TERMS) -> tuple[str, ...]:
        """Return those of `terms` that occur in no thought."""
        missing = (term for term in dict.fromkeys(terms) if not self.matches(term))
        return tuple(islice(missing, count))

    def matches(self, term: str) -> int:
        """Return the number of thoughts that contain the term, also as part of a longer word."""
        return sum(term in text for text in self.texts)

    def _ranking(self, pattern: str) -> list[tuple[str, int]]:
        if pattern not in self._frequencies:
            find = re.compile(pattern).findall
            self._frequencies[pattern] = Counter(
                term for text in self.texts for term in set(find(text))
            )
        return sorted(self._frequencies[pattern].items(), key=lambda item: (-item[1], item[0]))

    def _shuffled(self, terms: list[str]) -> list[str]:
        return self.random.sample(terms, len(terms))
