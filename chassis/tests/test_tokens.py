"""Tokens: signing, verifying, the cache, and keys that change."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwt

from chassis.tests.token_maker import TokenMaker
from mythoughts_chassis import tokens
from mythoughts_chassis.keys import KeySetError
from mythoughts_chassis.tokens import (
    CLOCK_SKEW_SECONDS,
    InvalidToken,
    Principal,
    TokenVerifier,
    UnknownKey,
)


def verifier_of(path: Path) -> TokenVerifier:
    """A verifier of our tokens with the keys in a file."""
    return TokenVerifier(public_keys_path=path, issuer="mythoughts", audience="mythoughts")


@pytest.fixture
def verifier(token_maker: TokenMaker) -> TokenVerifier:
    """A verifier that knows the maker's keys."""
    return verifier_of(token_maker.public_path)


def look_again(verifier: TokenVerifier) -> None:
    """Let the time pass after which the verifier looks at its file."""
    verifier._check_keys_at = 0


def test_token_says_who_its_bearer_is(token_maker: TokenMaker, verifier: TokenVerifier) -> None:
    """A good token gives id, name and expiry of its user."""
    expires_at = int(time.time()) + 100

    principal = verifier.verify(token_maker.token("李小龙", user_id=7, exp=expires_at))

    assert principal == Principal(
        user_id=7, username="李小龙", is_admin=False, expires_at=expires_at
    )


def test_scope_makes_an_admin(token_maker: TokenMaker, verifier: TokenVerifier) -> None:
    """The scope `admin` makes an admin."""
    assert verifier.verify(token_maker.admin_token()).is_admin


def test_largest_id_is_a_user(token_maker: TokenMaker, verifier: TokenVerifier) -> None:
    """A user's id may be as large as the database's integers."""
    assert verifier.verify(token_maker.token("a", user_id=2**63 - 1)).user_id == 2**63 - 1


def test_token_is_good_while_clocks_may_differ(
    token_maker: TokenMaker, verifier: TokenVerifier
) -> None:
    """A token that ran out half a minute ago is still believed."""
    token = token_maker.token("bruce", exp=int(time.time()) - 30)

    assert verifier.verify(token).username == "bruce"


def test_expired_token_is_refused(token_maker: TokenMaker, verifier: TokenVerifier) -> None:
    """A token that ran out longer ago than clocks differ is refused."""
    token = token_maker.token("bruce", exp=int(time.time()) - CLOCK_SKEW_SECONDS - 1)

    with pytest.raises(InvalidToken, match="expired"):
        verifier.verify(token)


def test_known_token_expires_too(
    token_maker: TokenMaker, verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that was verified before is refused once its time is over."""
    token = token_maker.token("bruce")
    verifier.verify(token)
    later = time.time() + 100_000
    monkeypatch.setattr(time, "time", lambda: later)

    with pytest.raises(InvalidToken, match="expired"):
        verifier.verify(token)


def test_known_token_is_not_verified_again(
    token_maker: TokenMaker, verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signature of a token is looked at once."""
    token = token_maker.token("bruce")
    first = verifier.verify(token)
    monkeypatch.delattr(jwt, "decode")

    assert verifier.verify(token) is first


def test_refused_token_is_not_remembered(token_maker: TokenMaker, verifier: TokenVerifier) -> None:
    """Tokens that are refused take no room."""
    for _ in range(3):
        with pytest.raises(InvalidToken):
            verifier.verify(token_maker.token("bruce", iss="elsewhere"))

    assert verifier._verified == {}


def test_cache_is_bounded(
    token_maker: TokenMaker, verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many tokens there are, the cache holds a limited number."""
    monkeypatch.setattr(tokens, "CACHE_ENTRIES", 3)

    for number in range(1, 9):
        verifier.verify(token_maker.token("bruce", user_id=number))

    assert len(verifier._verified) <= 3


def test_new_key_is_found_at_once(token_maker: TokenMaker, verifier: TokenVerifier) -> None:
    """A token of a key that is not known yet makes the verifier look at its file."""
    token_maker.rotate()

    assert verifier.verify(token_maker.token("bruce")).username == "bruce"


def test_removed_key_ends_tokens_in_the_cache(
    token_maker: TokenMaker, verifier: TokenVerifier
) -> None:
    """Tokens of a removed key are refused, although they were verified before."""
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
    """While the file is damaged or away the keys read last go on verifying."""
    first, second = token_maker.token("bruce"), token_maker.token("bruce")
    verifier.verify(first)
    if content is None:
        token_maker.public_path.unlink()
    else:
        token_maker.public_path.write_bytes(content)
    look_again(verifier)

    assert [verifier.verify(token).username for token in (first, second)] == ["bruce"] * 2


def test_mended_file_is_read(token_maker: TokenMaker, verifier: TokenVerifier) -> None:
    """After a damaged file a good one is read again."""
    token_maker.public_path.write_bytes(b"{")
    look_again(verifier)
    with pytest.raises(UnknownKey):
        verifier.verify(TokenMaker(token_maker.public_path.parent / "others").token("bruce"))
    token_maker.rotate()

    assert verifier.verify(token_maker.token("bruce")).username == "bruce"


def test_no_keys_at_the_start_is_an_error(tmp_path: Path) -> None:
    """A verifier cannot be made without its file."""
    with pytest.raises(KeySetError):
        verifier_of(tmp_path / "nowhere.json")


def test_tokens_are_verified_in_many_threads(
    token_maker: TokenMaker, verifier: TokenVerifier
) -> None:
    """While keys change, threads that verify good tokens at once are all answered rightly."""
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


@settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(token=st.text(max_size=60) | st.from_regex(r"[\w-]{0,40}\.[\w-]{0,40}\.[\w-]{0,20}"))
def test_whatever_is_no_token_is_invalid(verifier: TokenVerifier, token: str) -> None:
    """Any text that is not a token raises InvalidToken and nothing else."""
    with pytest.raises(InvalidToken):
        verifier.verify(token)


@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(place=st.integers(0, 10_000), character=st.characters(codec="ascii"))
def test_changed_token_is_invalid(
    token_maker: TokenMaker, verifier: TokenVerifier, place: int, character: str
) -> None:
    """A token in which one character was exchanged for one with another meaning is refused."""
    token = token_maker.token("bruce", jti="fixed", iat=0, exp=4_000_000_000)
    # The last character of the signature has bits that mean nothing.
    place %= len(token) - 1
    changed = token[:place] + character + token[place + 1 :]
    if changed == token:
        return

    with pytest.raises(InvalidToken):
        verifier.verify(changed)
