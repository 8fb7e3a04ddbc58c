"""Changing keys under a token verifier."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from mythoughts_chassis.keys import KeySetError
from mythoughts_chassis.tokens import TokenVerifier, UnknownKey
from testkit.mounted_folder import MountedFolder
from testkit.token_maker import TokenMaker
from users_backend.keys import new_private_key, public_part
from users_backend.signing import sign_token

pytestmark = pytest.mark.security


def verifier_of(path: Path) -> TokenVerifier:
    """A verifier with the keys in a file."""
    return TokenVerifier(public_keys_path=path, issuer="mythoughts", audience="mythoughts")


def look_again(verifier: TokenVerifier) -> None:
    """Skip the time after which the verifier checks its file."""
    verifier._check_keys_at = 0


def test_key_of_a_clock_that_differs_is_believed(tmp_path: Path, token_maker: TokenMaker) -> None:
    """A key that may sign by the signer's clock verifies, even if not yet by ours."""
    key = new_private_key(int(time.time()) + 30)
    path = tmp_path / "public.json"
    path.write_bytes(msgspec.json.encode({"keys": [public_part(key)]}))

    token = sign_token(token_maker.claims("bruce"), key)

    assert verifier_of(path).verify(token).username == "bruce"


def test_new_key_is_found_at_once(token_maker: TokenMaker, verifier: TokenVerifier) -> None:
    """A token with an unknown key makes the verifier check its file."""
    token_maker.rotate()

    assert verifier.verify(token_maker.token("bruce")).username == "bruce"


def test_new_key_is_found_at_once_in_a_mounted_folder(
    token_maker: TokenMaker, tmp_path: Path
) -> None:
    """The same holds for a file that Kubernetes mounts and replaces through two links."""
    mount = MountedFolder(tmp_path / "mount")
    mount.publish(token_maker.public_path)
    verifier = verifier_of(tmp_path / "mount" / token_maker.public_path.name)
    token_maker.rotate()
    mount.publish(token_maker.public_path)

    assert verifier.verify(token_maker.token("bruce")).username == "bruce"


def test_removed_key_ends_tokens_in_the_cache(
    token_maker: TokenMaker, verifier: TokenVerifier
) -> None:
    """Tokens of a removed key are rejected, even if they were verified before."""
    token = token_maker.token("bruce")
    verifier.verify(token)
    token_maker.rotate(keep_old=False)
    look_again(verifier)

    with pytest.raises(UnknownKey):
        verifier.verify(token)


@pytest.mark.parametrize("content", [b"", b'{"keys": []}', None])
def test_bad_file_leaves_the_keys_alone(
    token_maker: TokenMaker, verifier: TokenVerifier, content: bytes | None
) -> None:
    """While the file is damaged or missing, the keys read last stay in use."""
    first, second = token_maker.token("bruce"), token_maker.token("bruce")
    verifier.verify(first)
    if content is None:
        token_maker.public_path.unlink()
    else:
        token_maker.public_path.write_bytes(content)
    look_again(verifier)

    assert [verifier.verify(token).username for token in (first, second)] == ["bruce"] * 2


def test_corrected_file_is_read(token_maker: TokenMaker, verifier: TokenVerifier) -> None:
    """A valid file after a damaged one is read again."""
    token_maker.public_path.write_bytes(b"{")
    look_again(verifier)
    with pytest.raises(UnknownKey):
        verifier.verify(
            TokenMaker(token_maker.public_path.parent / "others", stranger=True).token("bruce")
        )
    token_maker.rotate()

    assert verifier.verify(token_maker.token("bruce")).username == "bruce"


def test_no_keys_at_the_start_is_an_error(tmp_path: Path) -> None:
    """A verifier cannot be created without its file."""
    with pytest.raises(KeySetError):
        verifier_of(tmp_path / "nowhere.json")


def test_tokens_are_verified_in_many_threads(
    token_maker: TokenMaker, verifier: TokenVerifier
) -> None:
    """While keys change, parallel threads verify valid tokens correctly."""
    made = [token_maker.token(f"user{n}", user_id=n) for n in range(1, 41)]

    def verify(token: str) -> str:
        look_again(verifier)
        return verifier.verify(token).username

    with ThreadPoolExecutor(8) as threads:
        first = threads.map(verify, made * 5)
        token_maker.rotate()
        second = threads.map(verify, made * 5)
        names = [*first, *second]

    assert names == [f"user{n}" for n in range(1, 41)] * 10
