"""Any number of thoughts, in eight languages: an endless sequence, always the same for a seed.

The sequence is generated in batches, each from the seed and its own number only, so that any part
can be generated independently. Some users share much more than others, and the number of users
grows along the sequence; each uses one language.
"""

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

from benchmarks.vocabulary import (
    EMOJI,
    FIRST_RARE_EMOJI,
    KEPT_OUT,
    LANGUAGES,
    RARE_EMOJI,
    Language,
    words_of,
)

SEED = 2026
BATCH = 5000
# Above the ids of real users of the system that thoughts are loaded into.
FIRST_USER_ID = 1_000_001
FIRST_USERS = 1000
THOUGHTS_PER_USER = 100
# Occurs in every `RARE_EVERY`th thought and nowhere else.
RARE_WORD = KEPT_OUT
RARE_EVERY = 4000
COMMON_WORD = "time"

MAX_CHARACTERS = 250
# Created at such a rate that the last one is still in the past.
MAX_THOUGHTS = 2_000_000_000
_FIRST_AT = datetime(2020, 1, 1, tzinfo=UTC)
_APART = timedelta(milliseconds=100)

# The columns user_id, username, text and created_at of a thought.
Row = tuple[int, str, str, datetime]

# The last two digits of a user's number determine the user's language. Neighbours, who share about
# as much, have different ones.
_SPREAD = 37
_LANGUAGES = [language for language in LANGUAGES for _ in range(language.people)]


def generate_rows(count: int, *, start: int = 0, seed: int = SEED) -> Iterator[Row]:
    """Yield the thoughts number `start` to `start + count - 1` of the sequence, oldest first."""
    for number in range(start // BATCH, (start + count + BATCH - 1) // BATCH):
        first = number * BATCH
        yield from _make_batch(number, seed)[max(0, start - first) : start + count - first]


def _make_batch(number: int, seed: int) -> list[Row]:
    """Return the batch with this number: the thoughts from `number * BATCH` on."""
    chooser = random.Random(f"{seed} {number}")
    first = number * BATCH
    users = [_choose_user(chooser, index) for index in range(first, first + BATCH)]
    texts = _texts(chooser, [_language_of(user) for user in users])
    return [
        (
            FIRST_USER_ID + user,
            _name_of(user),
            _with_rare_word(text) if index % RARE_EVERY == RARE_EVERY - 1 else text,
            _FIRST_AT + index * _APART,
        )
        for index, user, text in zip(range(first, first + BATCH), users, texts, strict=True)
    ]


def _choose_user(chooser: random.Random, index: int) -> int:
    """Return the author of thought number `index`: of the users so far, most often an early one."""
    users = max(FIRST_USERS, index // THOUGHTS_PER_USER)
    chance = chooser.random()
    return int(chance * chance * users)


def _language_of(user: int) -> Language:
    return _LANGUAGES[user * _SPREAD % len(_LANGUAGES)]


def _name_of(user: int) -> str:
    names = _language_of(user).names
    return f"{names[user % len(names)]} {user + 1}"


def _with_rare_word(text: str) -> str:
    return f"{RARE_WORD} {text}"[:MAX_CHARACTERS].rstrip()


def _texts(chooser: random.Random, languages: list[Language]) -> Iterator[str]:
    """Yield a text in each of the languages; all words are drawn at once, which is faster."""
    counts: list[int] = []
    totals: dict[Language, int] = defaultdict(int)
    for language in languages:
        chance = chooser.random()
        # Most thoughts are a line or two; few use the full length.
        counts.append(1 + int(chance * chance * language.longest))
        # One more, for a tag.
        totals[language] += counts[-1] + 1
    drawn = {
        language: iter(words_of(language).draw(chooser, totals[language]))
        for language in LANGUAGES
        if language in totals
    }
    for language, count in zip(languages, counts, strict=True):
        tag, *words = islice(drawn[language], count + 1)
        ending = _ending(chooser, language, tag)
        body = _body(chooser, language, words)
        yield f"{body[: MAX_CHARACTERS - len(ending)].rstrip()}{ending}"


def _body(chooser: random.Random, language: Language, words: list[str]) -> str:
    """Return the words in clauses of equal length, joined as one sentence, several, or lines."""
    length = 5 + int(chooser.random() * 9)
    clauses = [language.space.join(words[at : at + length]) for at in range(0, len(words), length)]
    style = chooser.random()
    if style < 0.6:
        text = (language.comma + language.space).join(clauses)
        return text if style < 0.1 else _capitalized(text)
    between = language.full_stop + language.space if style < 0.97 else "\n"
    return between.join(map(_capitalized, clauses))


# Not `str.upper`: its results for rare letters change between versions of Python.
_CAPITALS = {
    letter: letter.upper()
    for letter in (
        "abcdefghijklmnopqrstuvwxyzáàâäåæçéèêëíîïñóôöøúûüœабвгдеёжзийклмнопрстуфхцчшщыэюя"
    )
}


def _capitalized(text: str) -> str:
    return _CAPITALS.get(text[0], text[0]) + text[1:]


def _ending(chooser: random.Random, language: Language, tag: str) -> str:
    """Return a text's final punctuation and what may follow: emoji, a tag, a number, a link."""
    chance = chooser.random()
    mark = language.full_stop if chance < 0.5 else "" if chance < 0.8 else _mark(chooser)
    chance = chooser.random()
    if chance < 0.12:
        return f"{mark} {_emoji(chooser)}"
    if chance < 0.19:
        return f"{mark} #{tag}"
    if chance < 0.23:
        return f" {int(1 / (1e-6 + chooser.random()))}{mark}"
    if chance < 0.25:
        return f"{mark} https://example.org/{int(chooser.random() * 0xFFFF_FFFF):x}"
    return mark


def _mark(chooser: random.Random) -> str:
    return ("!", "?", "!!", "?!", "...")[int(chooser.random() * 5)]


def _emoji(chooser: random.Random) -> str:
    """Return an emoji, sometimes a rare one, sometimes three of the same."""
    chance = chooser.random()
    if chance < 0.02:
        return chr(FIRST_RARE_EMOJI + int(chooser.random() * RARE_EMOJI))
    found = EMOJI[int(chance * chance * len(EMOJI))]
    return found * 3 if chooser.random() < 0.1 else found
