"""Tokens: which are accepted, and for how long."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
from threading import Barrier, BrokenBarrierError

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jws, jwt
from joserfc.jwk import RSAKey

from mythoughts_chassis import tokens
from mythoughts_chassis.keys import Jwk, imported
from mythoughts_chassis.tokens import (
    CLOCK_SKEW_SECONDS,
    MAX_LIFETIME_SECONDS,
    InvalidToken,
    Principal,
    TokenVerifier,
)
from testkit.bad_tokens import BAD_TOKENS
from testkit.token_maker import TokenMaker
from users_backend.signing import sign_token

pytestmark = pytest.mark.security


def test_token_says_who_its_bearer_is(token_maker: TokenMaker, verifier: TokenVerifier) -> None:
    """A valid token contains its user's id and name, its session, and its time."""
    now = int(time.time())

    principal = verifier.verify(
        token_maker.token("李小龙", user_id=7, sid="5", iat=now - 100, exp=now + 100)
    )

    assert principal == Principal(
        user_id=7,
        username="李小龙",
        is_admin=False,
        session_id=5,
        issued_at=now - 100,
        expires_at=now + 100,
    )


def test_scope_makes_an_admin(token_maker: TokenMaker, verifier: TokenVerifier) -> None:
    """The scope `admin` identifies an admin."""
    assert verifier.verify(token_maker.admin_token()).is_admin


def test_largest_id_is_a_user(token_maker: TokenMaker, verifier: TokenVerifier) -> None:
    """A user's id may be as large as the database's integers."""
    assert verifier.verify(token_maker.token("a", user_id=2**63 - 1)).user_id == 2**63 - 1


def test_token_is_good_while_clocks_may_differ(
    token_maker: TokenMaker, verifier: TokenVerifier
) -> None:
    """A token that expired half a minute ago is still accepted."""
    token = token_maker.token("bruce", exp=int(time.time()) - 30)

    assert verifier.verify(token).username == "bruce"


@pytest.mark.parametrize("seconds_off", [-30, 30])
@pytest.mark.parametrize("lifetime_seconds", [20, 3600])
def test_token_of_a_clock_that_differs_is_believed(
    token_maker: TokenMaker, verifier: TokenVerifier, seconds_off: int, lifetime_seconds: int
) -> None:
    """A token is accepted if the signer's clock is half a minute behind or ahead."""
    now = int(time.time()) + seconds_off
    token = token_maker.token("bruce", iat=now, nbf=now, exp=now + lifetime_seconds)

    assert verifier.verify(token).username == "bruce"


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt"])
def test_type_of_a_token_is_a_media_type(
    token_maker: TokenMaker, verifier: TokenVerifier, typ: str
) -> None:
    """The `typ` of an access token may be written in each way that RFC 7515 allows."""
    token = sign_token(token_maker.claims("bruce"), token_maker.private_key, typ=typ)

    assert verifier.verify(token).username == "bruce"


def test_token_without_a_type_is_refused(token_maker: TokenMaker, verifier: TokenVerifier) -> None:
    """A token that does not say that it is an access token is rejected."""
    header = {"alg": "RS256", "kid": token_maker.private_key["kid"]}
    key = RSAKey.import_key(token_maker.private_key)
    token = jws.serialize_compact(header, json.dumps(token_maker.claims("bruce")), key)

    with pytest.raises(InvalidToken, match="not an access token"):
        verifier.verify(token)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("typ JWT", "not an access token"),
        ("nbf later", "not valid yet"),
        ("iat later", "not valid yet"),
        ("nbf NaN", "not valid yet"),
        ("iat 1e999", "not valid yet"),
        ("lives too long", "lifetime"),
        ("expires before it begins", "lifetime"),
        ("exp 1e999", "lifetime"),
        ("exp NaN", "lifetime"),
        ("exp 100000000", "too large|out of range"),
        ("no jti", "jti"),
        ("no sid", "sid"),
    ],
)
def test_log_says_why_a_token_is_refused(
    token_maker: TokenMaker, verifier: TokenVerifier, bad: str, reason: str
) -> None:
    """A token is rejected for the reason for which it is invalid."""
    with pytest.raises(InvalidToken, match=reason):
        verifier.verify(BAD_TOKENS[bad](token_maker))


def test_token_may_have_fractions_of_seconds(
    token_maker: TokenMaker, verifier: TokenVerifier
) -> None:
    """Times may have fractions (RFC 7519, NumericDate)."""
    now = time.time()

    assert verifier.verify(token_maker.token("bruce", iat=now + 0.5, exp=now + 50.5)).user_id == 1


def test_longest_lifetime_is_accepted(token_maker: TokenMaker, verifier: TokenVerifier) -> None:
    """A token may live for exactly the maximum."""
    now = int(time.time())

    token = token_maker.token("bruce", iat=now, exp=now + MAX_LIFETIME_SECONDS)

    assert verifier.verify(token).expires_at == now + MAX_LIFETIME_SECONDS


def test_expired_token_is_refused(token_maker: TokenMaker, verifier: TokenVerifier) -> None:
    """A token that expired longer ago than clocks may differ is rejected."""
    token = token_maker.token("bruce", exp=int(time.time()) - CLOCK_SKEW_SECONDS - 1)

    with pytest.raises(InvalidToken, match="expired"):
        verifier.verify(token)


def test_known_token_expires_too(
    token_maker: TokenMaker, verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that was verified before is rejected after it expires."""
    token = token_maker.token("bruce")
    verifier.verify(token)
    later = time.time() + 100_000
    monkeypatch.setattr(time, "time", lambda: later)

    with pytest.raises(InvalidToken, match="expired"):
        verifier.verify(token)


def test_known_token_is_not_verified_again(
    token_maker: TokenMaker, verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signature of a token is checked only once."""
    token = token_maker.token("bruce")
    first = verifier.verify(token)
    monkeypatch.delattr(jwt, "decode")

    assert verifier.verify(token) is first


def test_new_keys_are_used_by_all_threads_at_once(
    token_maker: TokenMaker, verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one thread takes new keys, another does not refuse their tokens."""
    token_maker.rotate()
    token = token_maker.token("bruce")
    callers = Barrier(2)

    def import_together(key: Jwk) -> RSAKey:
        with suppress(BrokenBarrierError):
            callers.wait(timeout=1)
        return imported(key)

    monkeypatch.setattr(tokens, "imported", import_together)
    with ThreadPoolExecutor(2) as pool:
        principals = list(pool.map(verifier.verify, [token, token]))

    assert [principal.username for principal in principals] == ["bruce", "bruce"]


def test_refused_token_is_not_remembered(token_maker: TokenMaker, verifier: TokenVerifier) -> None:
    """Rejected tokens are not cached."""
    for _ in range(3):
        with pytest.raises(InvalidToken):
            verifier.verify(token_maker.token("bruce", iss="elsewhere"))

    assert verifier._principal_of.cache_info().currsize == 0


def test_cache_is_bounded(token_maker: TokenMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache holds a limited number of tokens."""
    monkeypatch.setattr(tokens, "CACHE_ENTRIES", 3)
    verifier = TokenVerifier(
        public_keys_path=token_maker.public_path, issuer="mythoughts", audience="mythoughts"
    )

    for number in range(1, 9):
        verifier.verify(token_maker.token("bruce", user_id=number))

    assert verifier._principal_of.cache_info().currsize <= 3


@settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(token=st.text(max_size=60) | st.from_regex(r"[\w-]{0,40}\.[\w-]{0,40}\.[\w-]{0,20}"))
def test_whatever_is_no_token_is_invalid(verifier: TokenVerifier, token: str) -> None:
    """Any text that is not a token raises only InvalidToken."""
    with pytest.raises(InvalidToken):
        verifier.verify(token)


@lru_cache
def unchanged_token(token_maker: TokenMaker) -> str:
    """One token, so that a failing example fails again."""
    return token_maker.token("bruce", jti="fixed")


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
    """A token with one significant character replaced is rejected."""
    token = unchanged_token(token_maker)
    # The last character of the signature has bits without meaning.
    place %= len(token) - 1
    changed = token[:place] + character + token[place + 1 :]
    if changed == token:
        return

    with pytest.raises(InvalidToken):
        verifier.verify(changed)
