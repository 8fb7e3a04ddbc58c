"""`rotate-keys`, run as operators run it."""

import stat
from pathlib import Path

import msgspec
import pytest

from mythoughts_chassis.keys import read_key_set
from testkit.command import run_command
from testkit.token_maker import TokenMaker


@pytest.fixture
def key_settings(tmp_path: Path) -> dict[str, str]:
    """The settings that `rotate-keys` needs."""
    return {
        "TOKEN_PRIVATE_KEYS_PATH": str(tmp_path / "keys" / "private.json"),
        "TOKEN_PUBLIC_KEYS_PATH": str(tmp_path / "keys" / "public.json"),
    }


def kids(path: Path) -> list[str]:
    """The ids of the keys in a file."""
    return [key["kid"] for key in read_key_set(path)]


def test_rotate_keys_makes_both_files(key_settings: dict[str, str]) -> None:
    """The first `rotate-keys` creates the files; only the owner may read the private one."""
    done = run_command(key_settings, "rotate-keys")

    private, public = (Path(path) for path in key_settings.values())
    assert (done.returncode, done.stderr) == (0, "")
    assert kids(private) == kids(public) == [done.stdout.strip()]
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert "d" not in read_key_set(public)[0]


def test_rotate_keys_keeps_what_tokens_may_still_carry(
    key_settings: dict[str, str], own_keys: TokenMaker
) -> None:
    """A second `rotate-keys` adds a key before the first."""
    old = own_keys.private_key["kid"]

    done = run_command(key_settings, "rotate-keys")

    assert kids(own_keys.public_path) == [done.stdout.strip(), old]


@pytest.mark.parametrize("longer", ["TOKEN_LIFETIME_SECONDS", "ADMIN_TOKEN_LIFETIME_SECONDS"])
@pytest.mark.parametrize(("since_its_end_seconds", "kept"), [(30, True), (90, False)])
def test_old_key_is_kept_while_clocks_may_differ(
    key_settings: dict[str, str],
    own_keys: TokenMaker,
    since_its_end_seconds: int,
    kept: bool,
    longer: str,
) -> None:
    """A key stays until its last token has expired, even by a clock half a minute behind."""
    old = own_keys.private_key["kid"]
    own_keys.rotate()
    keys = read_key_set(own_keys.private_path)
    for key in keys:
        key["nbf"] -= 1000 + since_its_end_seconds
    own_keys.private_path.write_bytes(msgspec.json.encode({"keys": keys}))

    lifetimes = {"TOKEN_LIFETIME_SECONDS": "10", "ADMIN_TOKEN_LIFETIME_SECONDS": "10"}
    run_command(key_settings | lifetimes | {longer: "1000"}, "rotate-keys")

    assert (old in kids(own_keys.public_path)) == kept


def test_rotate_keys_can_drop_the_old(key_settings: dict[str, str], own_keys: TokenMaker) -> None:
    """With --drop-old only the new key remains."""
    done = run_command(key_settings, "rotate-keys", "--drop-old")

    assert kids(own_keys.public_path) == [done.stdout.strip()]


def test_damaged_file_is_not_overwritten(
    key_settings: dict[str, str], own_keys: TokenMaker
) -> None:
    """`rotate-keys` reports a damaged private file, and changes nothing."""
    own_keys.private_path.write_text("{")
    before = own_keys.public_path.read_bytes()

    done = run_command(key_settings, "rotate-keys")

    assert (done.returncode, done.stdout) == (2, "")
    assert "is not a JWK set of RSA keys" in done.stderr
    assert own_keys.private_path.read_text() == "{"
    assert own_keys.public_path.read_bytes() == before


def test_keys_can_be_made_if_missing(key_settings: dict[str, str]) -> None:
    """With --if-missing the first run creates the files, and a second does not change them."""
    first = run_command(key_settings, "rotate-keys", "--if-missing")
    before = [Path(path).read_bytes() for path in key_settings.values()]

    second = run_command(key_settings, "rotate-keys", "--if-missing")

    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
    assert [Path(path).read_bytes() for path in key_settings.values()] == before
    assert kids(Path(key_settings["TOKEN_PUBLIC_KEYS_PATH"])) == [first.stdout.strip()]


def test_missing_public_file_is_made_again(
    key_settings: dict[str, str], own_keys: TokenMaker
) -> None:
    """With --if-missing a lost public file is restored with every key that tokens may use."""
    old = own_keys.private_key["kid"]
    own_keys.public_path.unlink()

    run_command(key_settings, "rotate-keys", "--if-missing")

    assert old in kids(own_keys.public_path)
