import hashlib
import unicodedata
from datetime import UTC, datetime
from itertools import pairwise

import msgspec

from benchmarks.generator import BATCH, FIRST_USER_ID, MAX_THOUGHTS, RARE_WORD, generate_rows
from thoughts_backend.schemas import MAX_USERNAME_CHARACTERS, NewThought

ROWS = list(generate_rows(2 * BATCH))


def test_thoughts_are_the_same_everywhere() -> None:
    """The first thoughts are these, with every Python and on every machine."""
    values = "\n".join(str(value) for row in ROWS[:1000] for value in row)

    digest = hashlib.sha256(values.encode()).hexdigest()

    assert digest == "41d855ac68ae3ecd31cdd515e1bd321d2c032c97fba73aa4bf9824716876388f"


def test_longer_run_begins_as_a_shorter_one() -> None:
    """The number of thoughts requested changes none of them."""
    shorter = list(generate_rows(100))

    assert shorter == ROWS[:100]


def test_part_is_made_by_itself() -> None:
    """A part from the middle, across the end of a batch, has the thoughts of the whole."""
    part = list(generate_rows(200, start=BATCH - 100))

    assert part == ROWS[BATCH - 100 : BATCH + 100]


def test_another_seed_gives_other_thoughts() -> None:
    """The seed determines the thoughts."""
    other = [text for _, _, text, _ in generate_rows(100, seed=1)]

    assert not set(other) & {text for _, _, text, _ in ROWS[:100] if len(text) > 20}


def test_texts_are_ones_that_the_api_takes() -> None:
    """Every text has 1 to 250 characters that are not only white space."""
    for _, _, text, _ in ROWS:
        msgspec.convert({"text": text}, NewThought)


def test_usernames_are_ones_that_the_api_takes() -> None:
    """Every name is short enough and in normal form, and belongs to one user."""
    names = {user_id: name for user_id, name, _, _ in ROWS}

    assert all(len(name) <= MAX_USERNAME_CHARACTERS for name in names.values())
    assert all(unicodedata.is_normalized("NFC", name) for name in names.values())
    assert len({name.casefold() for name in names.values()}) == len(names)


def test_thoughts_are_of_common_length() -> None:
    """Most are a line or two; some use the full length."""
    lengths = [len(text) for _, _, text, _ in ROWS]

    assert 60 < sum(lengths) / len(lengths) < 100
    assert min(lengths) < 3
    assert max(lengths) == 250


def test_thoughts_are_in_several_scripts() -> None:
    """There are Latin, Cyrillic, Chinese, Japanese and Korean letters, and emoji."""
    characters = set("".join(text for _, _, text, _ in ROWS))

    assert characters >= set("aü") | set("ыЯ") | set("的时") | set("のカ") | set("이는") | set("😂")


def test_thoughts_are_shared_one_after_the_other() -> None:
    """Each is later than the previous one."""
    times = [created_at for _, _, _, created_at in ROWS]

    assert all(earlier < later for earlier, later in pairwise(times))


def test_last_thought_is_not_in_the_future() -> None:
    """The longest sequence ends before the present."""
    *_, created_at = next(generate_rows(1, start=MAX_THOUGHTS - 1))

    assert created_at < datetime.now(UTC)


def test_some_users_share_much_more_than_others() -> None:
    """The first user has more thoughts than the last hundred of a thousand together."""
    users = [user_id - FIRST_USER_ID for user_id, _, _, _ in ROWS]

    assert users.count(0) > sum(1 for user in users if user >= 995)


def test_users_become_more() -> None:
    """After a million thoughts, many are by users who did not exist before."""
    first = {user_id for user_id, _, _, _ in ROWS}

    later = {user_id for user_id, _, _, _ in generate_rows(BATCH, start=1_000_000)}

    assert max(later) > 9 * (max(first) - FIRST_USER_ID) + FIRST_USER_ID


def test_rare_word_is_rare() -> None:
    """It occurs in every 4,000th thought and in no other."""
    places = [place for place, row in enumerate(ROWS, start=1) if RARE_WORD in row[2]]

    assert places == [4000, 8000]
