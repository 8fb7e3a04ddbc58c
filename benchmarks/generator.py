"""Thoughts in any number, in English, Chinese and Spanish, always the same for the same seed.

Words are as unevenly frequent as in real language, a tenth of the texts carries a tag that hardly
any other has, and `RARE_WORD` stands in every `RARE_EVERY`th text and nowhere else: there is
something to search for with many, few and hardly any results.
"""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from benchmarks.vocabulary import CHINESE, ENGLISH, SPANISH

SEED = 2026
USERS = 1000
# Above the ids of the demonstration users.
FIRST_USER_ID = 1001
COMMON_WORD = "water"
RARE_WORD = "quetzal"
RARE_EVERY = 4000

MAX_CHARACTERS = 250
_PHRASES = 20_000
_SECONDS_APART = 3.0
_FIRST_AT = datetime(2024, 1, 1, tzinfo=UTC)

# The columns user_id, username, text and created_at of a thought.
Row = tuple[int, str, str, datetime]

# Most thoughts are a line or two; few use all the room.
_PHRASE_COUNTS = (1, 2, 3, 4, 5, 6, 8, 12)
_PHRASE_COUNT_WEIGHTS = (12, 22, 22, 16, 11, 8, 6, 3)


def generate_rows(count: int, *, seed: int = SEED) -> Iterator[Row]:
    """Yield `count` thoughts, oldest first, each `_SECONDS_APART` after the one before.

    The first rows of a longer run are those of a shorter one.
    """
    chooser = random.Random(seed)
    languages = _languages(chooser)
    names = [f"{chooser.choice(ENGLISH + CHINESE)} {number}" for number in range(1, USERS + 1)]
    for index in range(count):
        user = int(chooser.random() * USERS)
        text = _text(chooser, *languages[int(chooser.random() * len(languages))])
        if index % RARE_EVERY == RARE_EVERY - 1:
            text = f"{RARE_WORD} {text}"[:MAX_CHARACTERS].rstrip()
        created_at = _FIRST_AT + timedelta(seconds=index * _SECONDS_APART)
        yield FIRST_USER_ID + user, names[user], text, created_at


def _languages(chooser: random.Random) -> list[tuple[list[str], str, str]]:
    """Return phrases, what joins them and what ends a text, by how many of ten texts have them."""
    english = _phrases(chooser, ENGLISH, joined_by=" "), " ", "."
    chinese = _phrases(chooser, CHINESE, joined_by=""), "，", "。"
    spanish = _phrases(chooser, SPANISH, joined_by=" "), ", ", "."
    return [english] * 6 + [chinese] * 2 + [spanish] * 2


def _phrases(chooser: random.Random, words: Sequence[str], *, joined_by: str) -> list[str]:
    """Return phrases of two to six words; joining these is much faster than joining words."""
    # Zipf's law: a word is as frequent as its rank is low.
    weights = list(accumulate(1 / (rank + 3) for rank in range(len(words))))
    return [
        joined_by.join(chooser.choices(words, cum_weights=weights, k=chooser.randint(2, 6)))
        for _ in range(_PHRASES)
    ]


_COUNTS = [
    count
    for count, weight in zip(_PHRASE_COUNTS, _PHRASE_COUNT_WEIGHTS, strict=True)
    for _ in range(weight)
]


def _text(chooser: random.Random, phrases: list[str], joined_by: str, ended_by: str) -> str:
    number = chooser.random
    count = _COUNTS[int(number() * len(_COUNTS))]
    text = joined_by.join([phrases[int(number() * _PHRASES)] for _ in range(count)])
    if number() < 0.1:
        return f"{text[:235]} #{int(number() * 1_000_000)}"
    return f"{text[: MAX_CHARACTERS - 1].rstrip()}{ended_by}"
