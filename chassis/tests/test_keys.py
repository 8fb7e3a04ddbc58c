"""JWK sets in files: reading them, and noticing that they change."""

import json
import os
from pathlib import Path

import pytest
from joserfc.jwk import RSAKey

from mythoughts_chassis.keys import Jwk, KeySetError, WatchedKeySet, read_key_set
from testkit.mounted_folder import MountedFolder
from users_backend.keys import new_private_key, public_part


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"keys": {}}',
        b'{"keys": []}',
        b'{"keys": [{}]}',
        b'{"keys": [7]}',
        b'{"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "a", "nbf": 1}]}',
        b'{"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}',
        b"\xff\xfe",
    ],
)
def test_file_that_is_no_key_set_is_refused(tmp_path: Path, content: bytes) -> None:
    """Anything other than a set of RSA keys with ids raises an error that names the file."""
    path = tmp_path / "keys.json"
    path.write_bytes(content)

    with pytest.raises(KeySetError, match=str(path)):
        read_key_set(path)


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
@pytest.mark.parametrize(("bits", "is_good"), [(1024, False), (2048, True)])
def test_short_key_is_refused(tmp_path: Path, bits: int, is_good: bool) -> None:
    """Keys of 2048 bits are accepted; shorter ones are not."""
    key = RSAKey.generate_key(bits, private=False).as_dict() | {"kid": "old", "nbf": 1}
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [key]}))

    if is_good:
        assert read_key_set(path)[0]["kid"] == "old"
    else:
        with pytest.raises(KeySetError, match="less than 2048 bits"):
            read_key_set(path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    """A missing file raises an error that names the file."""
    path = tmp_path / "keys.json"

    with pytest.raises(KeySetError, match=f"cannot read the key file {path}"):
        read_key_set(path)


@pytest.fixture(scope="module")
def three_keys() -> list[Jwk]:
    """Three keys, whose files have the same size."""
    return [{**public_part(new_private_key(1)), "kid": kid} for kid in ("one", "two", "six")]


def write_key_set(path: Path, key: Jwk) -> None:
    """Write a set with one key."""
    path.write_text(json.dumps({"keys": [key]}))


def test_changed_file_is_read_again(tmp_path: Path, three_keys: list[Jwk]) -> None:
    """A file is read again after each change, and not in between."""
    path = tmp_path / "keys.json"
    write_key_set(path, three_keys[0])
    watched = WatchedKeySet(path)
    first = watched.keys()
    unchanged = watched.keys() is first
    path.write_text(json.dumps({"keys": three_keys}))

    assert unchanged
    assert (first, watched.keys()) == (three_keys[:1], three_keys)


def test_file_is_followed_through_a_link(tmp_path: Path, three_keys: list[Jwk]) -> None:
    """A link redirected to another file is a change, as with mounted secrets."""
    for key in three_keys[:2]:
        write_key_set(tmp_path / key["kid"], key)
        os.utime(tmp_path / key["kid"], (1, 1))
    link = tmp_path / "link"
    link.symlink_to("one")
    watched = WatchedKeySet(link)
    link.unlink()
    link.symlink_to("two")

    assert watched.keys() == [three_keys[1]]


def test_file_is_followed_through_a_mount(tmp_path: Path, three_keys: list[Jwk]) -> None:
    """Each change of a folder mounted by Kubernetes is seen, even with equal file sizes."""
    source = tmp_path / "keys.json"
    mount = MountedFolder(tmp_path / "mount")
    write_key_set(source, three_keys[0])
    mount.publish(source)
    watched = WatchedKeySet(tmp_path / "mount" / "keys.json")
    seen = []

    for key in three_keys[1:]:
        write_key_set(source, key)
        mount.publish(source)
        seen.append(watched.keys())

    assert seen == [[three_keys[1]], [three_keys[2]]]


@pytest.mark.parametrize("content", ["{", None], ids=["damaged", "missing"])
def test_keys_outlive_their_file(
    tmp_path: Path, three_keys: list[Jwk], content: str | None
) -> None:
    """While the file is damaged or missing the keys read last stay; then it is read again."""
    path = tmp_path / "keys.json"
    write_key_set(path, three_keys[0])
    watched = WatchedKeySet(path)
    path.unlink()
    if content is not None:
        path.write_text(content)
    meanwhile = watched.keys()
    write_key_set(path, three_keys[1])

    assert meanwhile == three_keys[:1]
    assert watched.keys() == three_keys[1:2]
