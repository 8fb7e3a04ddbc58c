"""The terms to search for, in classes by length, script and frequency.

They are chosen once, from the first thoughts of the database: frequencies are the same in larger
samples.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from benchmarks.search.sample import TERMS, Sample

LONGEST = 250
VERY_COMMON_WORDS = "word, very common"
MIDDLING_WORDS = "word, middling"
RARE_WORDS = "word, rare"
ONE_PERCENT_WORDS = "word, in 1 %"

_HAN = r"(?=([一-鿿]{%d}))"
_EMOJI = "[\U0001f300-\U0001faff]"
# No thought is written in runes.
_ABSENT_CHARACTERS = "ᚠᚢᚦᚨᚱᚲᚷᚹ"
_SELDOM_TOGETHER = "qzxjvwkf"


@dataclass(frozen=True, slots=True)
class Kind:
    """A class of terms."""

    name: str
    terms: tuple[str, ...]


def choose_kinds(texts: Sequence[str]) -> list[Kind]:
    """Return the classes for which these thoughts have terms; the texts must be folded."""
    sample = Sample(texts)
    parts = (_words, _short, _long, _chinese, _other_scripts, _marks, _phrases)
    return [kind for part in parts for kind in part(sample) if kind.terms]


def _words(sample: Sample) -> Iterator[Kind]:
    middling = sample.middling(r"\b[a-z]{5,}\b")
    reversed_words = (word[::-1] for word in sample.middling(r"\b[a-z]{7,}\b", 40))
    yield Kind(VERY_COMMON_WORDS, sample.common(r"\b[a-z]{3,}\b"))
    yield Kind(MIDDLING_WORDS, middling)
    yield Kind(RARE_WORDS, sample.rare(r"\b[a-z]{6,}\b"))
    yield Kind(ONE_PERCENT_WORDS, sample.in_one_percent(r"\b[a-z]{4,}\b"))
    yield Kind("word, absent", sample.absent(reversed_words))


def _short(sample: Sample) -> Iterator[Kind]:
    yield Kind("1 character, common", sample.common(r"(?=([!-~]))"))
    yield Kind("1 character, rare", sample.rare(r"(?=([^\W\d_]))"))
    yield Kind("1 character, absent", sample.absent(_ABSENT_CHARACTERS))
    for length in (2, 3):
        pattern, name = rf"(?=([!-~]{{{length}}}))", f"{length} characters"
        yield Kind(f"{name}, common", sample.common(pattern))
        yield Kind(f"{name}, middling", sample.middling(pattern))
        yield Kind(f"{name}, rare", sample.rare(pattern))
        yield Kind(f"{name}, absent", sample.absent(_made_of(_SELDOM_TOGETHER, length)))


def _long(sample: Sample) -> Iterator[Kind]:
    long_texts = [text for text in sample.texts if len(text) >= LONGEST // 4]
    chosen = sample.random.sample(long_texts, min(TERMS, len(long_texts)))
    parts = tuple(text[10:50] for text in chosen)
    yield Kind("40 characters, rare", parts)
    changed = (f"{part[:20]}q{part[21:]}" for part in parts)
    yield Kind("40 characters, absent", sample.absent(changed))
    yield Kind("1 character 250 times", tuple(character * LONGEST for character in "ea.1ん的哈😀"))
    characters = sorted({character for text in sample.texts for character in text})
    if len(characters) >= LONGEST:
        different = ("".join(sample.random.sample(characters, LONGEST)) for _ in range(TERMS))
        yield Kind("250 different characters", sample.absent(different))


def _chinese(sample: Sample) -> Iterator[Kind]:
    yield from _three("Chinese, 1 character", sample, _HAN % 1)
    yield from _three("Chinese, 2 characters", sample, _HAN % 2)
    yield from _three("Chinese, 4 characters", sample, _HAN % 4)
    pairs = sample.common(_HAN % 2, 20)
    joined = (first + second for first, second in product(pairs, pairs))
    yield Kind("Chinese, 4 characters, absent", sample.absent(joined))


def _other_scripts(sample: Sample) -> Iterator[Kind]:
    accented = r"\b(?=[a-z]*[ß-öø-ÿ])[a-zß-öø-ÿ]{3,}\b"
    yield from _three("accented word", sample, accented)
    yield from _three("Japanese, 3 characters", sample, r"(?=([ぁ-んァ-ヶ]{3}))")
    yield from _three("Cyrillic word", sample, r"\b[а-я]{4,}\b")


def _marks(sample: Sample) -> Iterator[Kind]:
    marks = r"[!-/:-@\[-`{-~]{2,4}"
    yield Kind("emoji, common", sample.common(_EMOJI))
    yield Kind("emoji, rare", sample.least(_EMOJI))
    yield Kind("punctuation, common", sample.common(marks))
    apart = r"(?=([!-/:-@\[-`{-~][^a-z][!-/:-@\[-`{-~]))"
    yield Kind("punctuation, rare", sample.rare(apart))
    yield Kind("punctuation, absent", sample.absent(_made_of("%_\\'&|*<", 3)))
    yield Kind("tag", sample.middling(r"#[a-z]{2,}\b"))
    yield Kind("word and emoji", sample.rare(rf"\b[a-z]{{3,}} {_EMOJI}"))


def _phrases(sample: Sample) -> Iterator[Kind]:
    words = sample.common(r"\b[a-z]{2,}\b", 40)
    one_of = "|".join(words)
    phrases = sample.middling(rf"(?=\b((?:{one_of}) (?:{one_of}) [a-z]{{2}}))")
    yield Kind("phrase of common words", phrases)
    mixed = (" ".join(sample.random.sample(words[:12], 6)) for _ in range(200) if len(words) >= 12)
    absent = sample.absent(mixed)
    yield Kind("phrase that never occurs", absent)


def _three(name: str, sample: Sample, pattern: str) -> Iterator[Kind]:
    yield Kind(f"{name}, common", sample.common(pattern))
    yield Kind(f"{name}, middling", sample.middling(pattern))
    yield Kind(f"{name}, rare", sample.rare(pattern))


def _made_of(characters: str, length: int) -> Iterator[str]:
    return ("".join(chosen) for chosen in product(characters, repeat=length))
