"""The words of generated thoughts, with the frequencies of their languages.

The frequencies come from the package wordfreq, which has a list of words for every hundredth
of a decimal order of magnitude.
"""

# ruff: noqa: SIM905  (emoji are easier to read without quotes)

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import wordfreq

# The word that the generator inserts into thoughts itself.
KEPT_OUT = "quetzal"

# Rarer words than these hardly change a text, and all of them are kept in memory.
_MAX_WORDS = 150_000
# wordfreq replaces the digits of every number of several digits with zeros.
_NUMBER = "0"

# Frequent ones first; some are several characters.
EMOJI = (
    "😂 ❤️ 🤣 👍 😭 🙏 😍 😊 🔥 🎉 😅 💕 🤔 👏 🥺 ✨ 😎 💯 🌧️ ☕ 🍜 🚀 🌸 🐻 🎵 👩‍💻 🇨🇳 👋🏽"
).split()
# The block of emoji from which the rare ones are taken.
FIRST_RARE_EMOJI = 0x1F300
RARE_EMOJI = 0x350


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """How many of a hundred people write in it, and its punctuation.

    `space` separates words and follows sentences; `longest` is the maximum of words in a thought.
    """

    code: str
    people: int
    names: tuple[str, ...]
    space: str = " "
    comma: str = ","
    full_stop: str = "."
    longest: int = 48


LANGUAGES = (
    Language("en", 55, ("alex", "Grace", "j.smith", "night owl", "Tom_R", "rosa", "kit")),
    Language("zh", 16, ("小雨", "阿明", "晓峰", "lin", "老王"), "", "，", "。", 90),
    Language("es", 8, ("Lucía", "mateo", "Íñigo")),
    Language("ja", 6, ("さくら", "ケンジ", "花子"), "", "、", "。", 90),
    Language("ru", 6, ("Наташа", "иван", "Фёдор")),
    Language("de", 5, ("Jürgen", "lena", "Groß")),
    Language("fr", 2, ("chloé", "Benoît")),
    Language("ko", 2, ("지민", "서연")),
)


class Words:
    """The words of one language, from which any number can be drawn by frequency."""

    def __init__(self, words: Sequence[str], frequencies: Sequence[int]) -> None:
        self._words = words
        self._cumulative = np.cumsum(frequencies, dtype=np.uint64)

    def draw(self, chooser: random.Random, count: int) -> list[str]:
        """Return `count` words, drawn independently."""
        numbers = np.frombuffer(chooser.randbytes(8 * count), dtype="<u8") % self._cumulative[-1]
        places = np.searchsorted(self._cumulative, numbers, side="right")
        return [self._words[place] for place in places.tolist()]


@cache
def words_of(language: Language) -> Words:
    """Return the words of a language; the first call reads them, in up to half a second.

    Words that contain `KEPT_OUT` are left out.
    """
    words: list[str] = []
    frequencies: list[int] = []
    for order, group in enumerate(wordfreq.get_frequency_list(language.code)):
        # Whole numbers, because the last digit of a power may differ between machines.
        frequency = round(10 ** (9 - order / 100))
        usable = [word for word in group if KEPT_OUT not in word and _NUMBER not in word]
        words += usable
        frequencies += [frequency] * len(usable)
        if len(words) >= _MAX_WORDS:
            break
    # All words of the package, which it would keep in memory for another call.
    wordfreq.get_frequency_list.cache_clear()
    return Words(words, frequencies)
