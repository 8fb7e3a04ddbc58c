"""The two key files, and what a rotation does to them."""

import json
import stat
import time
from pathlib import Path

import pytest

from mythoughts_chassis.keys import KeySetError, read_key_set
from users_backend.keys import new_private_key, public_part, rotate_key_sets, write_atomically
from users_backend.signing import signing_key

LIFETIME_SECONDS = 1000
PRIVATE_PARTS = {"d", "p", "q", "dp", "dq", "qi"}


@pytest.fixture
def private_path(tmp_path: Path) -> Path:
    """The path of the private set."""
    return tmp_path / "private" / "keys.json"


@pytest.fixture
def public_path(tmp_path: Path) -> Path:
    """The path of the public set."""
    return tmp_path / "public" / "keys.json"


def rotate(private_path: Path, public_path: Path, *, keep_old: bool = True, later: int = 0) -> str:
    """Rotate with a token lifetime of `LIFETIME_SECONDS`."""
    return rotate_key_sets(
        private_path,
        public_path,
        token_lifetime_seconds=LIFETIME_SECONDS,
        activate_in_seconds=later,
        keep_old=keep_old,
    )


def ids(path: Path) -> list[str]:
    """The ids of the keys in a file, in order."""
    return [key["kid"] for key in read_key_set(path)]


def age(path: Path, seconds: int) -> None:
    """Move the start time of every key in a file back."""
    keys = read_key_set(path)
    for key in keys:
        key["nbf"] -= seconds
    path.write_text(json.dumps({"keys": keys}))


def test_first_rotation_makes_both_files(private_path: Path, public_path: Path) -> None:
    """Missing files are created, with their folders, and contain the same single key."""
    key_id = rotate(private_path, public_path)

    assert ids(private_path) == ids(public_path) == [key_id]


def test_public_set_holds_nothing_private(private_path: Path, public_path: Path) -> None:
    """The public file contains no private parts of keys; the private file contains them all."""
    rotate(private_path, public_path)

    (public,) = read_key_set(public_path)
    (private,) = read_key_set(private_path)
    assert not PRIVATE_PARTS & set(public)
    assert set(private) >= PRIVATE_PARTS


def test_private_file_is_its_owners_alone(private_path: Path, public_path: Path) -> None:
    """Others may read only the public file."""
    rotate(private_path, public_path)

    modes = [stat.S_IMODE(path.stat().st_mode) for path in (private_path, public_path)]
    assert modes == [0o600, 0o644]


def test_keys_are_rsa_for_signatures(private_path: Path, public_path: Path) -> None:
    """Keys declare their purpose, and have the 3072 bits of OWASP ASVS 5.0 (11.2.3)."""
    rotate(private_path, public_path)

    (key,) = read_key_set(public_path)
    assert (key["kty"], key["use"], key["alg"]) == ("RSA", "sig", "RS256")
    assert len(key["n"]) * 6 // 8 == 384


def test_rotation_keeps_the_key_before(private_path: Path, public_path: Path) -> None:
    """After a rotation both keys exist, the new one first."""
    old = rotate(private_path, public_path)

    new = rotate(private_path, public_path)

    assert ids(private_path) == ids(public_path) == [new, old]


def test_key_is_dropped_when_no_token_can_carry_it(private_path: Path, public_path: Path) -> None:
    """A key whose last token has expired is dropped by the next rotation."""
    rotate(private_path, public_path)
    second = rotate(private_path, public_path)
    age(private_path, LIFETIME_SECONDS + 1)

    third = rotate(private_path, public_path)

    assert ids(public_path) == [third, second]


def test_key_stays_while_a_token_can_carry_it(private_path: Path, public_path: Path) -> None:
    """A key that last signed slightly less than a token lifetime ago still verifies."""
    first = rotate(private_path, public_path)
    second = rotate(private_path, public_path)
    age(private_path, LIFETIME_SECONDS - 100)

    third = rotate(private_path, public_path)

    assert ids(public_path) == [third, second, first]


def test_old_keys_can_be_dropped_at_once(private_path: Path, public_path: Path) -> None:
    """Without the old keys, all tokens signed so far are invalid."""
    rotate(private_path, public_path)

    new = rotate(private_path, public_path, keep_old=False)

    assert ids(private_path) == ids(public_path) == [new]


def test_new_key_can_sign_later(private_path: Path, public_path: Path) -> None:
    """A key with a delay is published at once, but signs only from its start time on."""
    old = rotate(private_path, public_path)
    new = rotate(private_path, public_path, later=600)
    keys = read_key_set(private_path)

    signers = [signing_key(keys, time.time() + later)["kid"] for later in (0, 601)]

    assert ids(public_path) == [new, old]
    assert signers == [old, new]


def test_key_that_signs_later_survives_the_rotation_after(
    private_path: Path, public_path: Path
) -> None:
    """A key added for later, and another meanwhile: the one that signs is not dropped."""
    rotate(private_path, public_path)
    rotate(private_path, public_path, later=600)
    rotate(private_path, public_path)
    age(private_path, LIFETIME_SECONDS + 600)
    signing = signing_key(read_key_set(private_path), time.time())["kid"]

    rotate(private_path, public_path)

    assert signing in ids(public_path)


def test_only_key_signs_before_its_time() -> None:
    """If no key may sign yet, the oldest does: a service is never without a key."""
    key = new_private_key(int(time.time()) + 600)

    assert signing_key([key], time.time()) == key


def test_rotation_does_not_overwrite_what_is_damaged(private_path: Path, public_path: Path) -> None:
    """An unreadable private file is not changed, and the rotation fails."""
    private_path.parent.mkdir()
    private_path.write_text("{")

    with pytest.raises(KeySetError):
        rotate(private_path, public_path)

    assert private_path.read_text() == "{"
    assert not public_path.exists()


def test_public_part_keeps_the_id() -> None:
    """A key's public part contains its id and start time."""
    key = new_private_key(7)

    assert public_part(key)["kid"] == key["kid"]
    assert public_part(key)["nbf"] == 7


def test_writing_leaves_no_other_file(tmp_path: Path) -> None:
    """A file is replaced as a whole, and no other file remains."""
    path = tmp_path / "file"
    path.write_text("old")

    write_atomically(path, b"new", mode=0o600)

    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_failed_writing_leaves_the_old_file(tmp_path: Path) -> None:
    """If the new content cannot be put in place, nothing changes."""
    path = tmp_path / "folder"
    path.mkdir()

    with pytest.raises(OSError, match="directory"):
        write_atomically(path, b"new", mode=0o600)

    assert list(tmp_path.iterdir()) == [path]
