"""Invalid tokens, each wrong in one way."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from functools import cache

from mythoughts_chassis.keys import Jwk
from mythoughts_chassis.tokens import CLOCK_SKEW_SECONDS, MAX_LIFETIME_SECONDS
from testkit.token_maker import TokenMaker
from users_backend.keys import new_private_key
from users_backend.signing import sign_token


def encoded(value: bytes) -> str:
    """Base64url without padding, as in a JWT."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def as_part(value: object) -> str:
    """A part of a JWT."""
    return encoded(json.dumps(value).encode())


def unsigned(maker: TokenMaker) -> str:
    """A token with the algorithm `none`."""
    return f"{as_part({'alg': 'none'})}.{as_part(maker.claims('bruce'))}."


def unsigned_with_key_id(maker: TokenMaker) -> str:
    """A token with the algorithm `none` that names a key."""
    header = as_part({"alg": "none", "kid": maker.private_key["kid"]})
    return f"{header}.{as_part(maker.claims('bruce'))}."


def signed_with_the_public_key(maker: TokenMaker) -> str:
    """A token with HS256 whose secret is the public key file."""
    header = as_part({"alg": "HS256", "kid": maker.private_key["kid"]})
    signed = f"{header}.{as_part(maker.claims('bruce'))}"
    code = hmac.new(maker.public_path.read_bytes(), signed.encode(), hashlib.sha256)
    return f"{signed}.{encoded(code.digest())}"


@cache
def strange_key() -> Jwk:
    """A key that is in no set; making one takes 0.2 s."""
    return new_private_key(0)


def of_another_key(maker: TokenMaker) -> str:
    """A token of a key that is not in the public set."""
    return sign_token(maker.claims("bruce"), strange_key())


def of_another_key_under_a_known_id(maker: TokenMaker) -> str:
    """A token of another key that claims to be a known one."""
    stranger = strange_key() | {"kid": maker.private_key["kid"]}
    return sign_token(maker.claims("bruce"), stranger)


def with_its_own_key(maker: TokenMaker) -> str:
    """A token that brings the key to verify it with."""
    stranger = strange_key()
    public = {name: stranger[name] for name in ("kty", "n", "e")}
    header = as_part({"alg": "RS256", "kid": maker.private_key["kid"], "jwk": public})
    _, payload, signature = sign_token(maker.claims("bruce"), stranger).split(".")
    return f"{header}.{payload}.{signature}"


def with_a_forged_payload(maker: TokenMaker) -> str:
    """A valid token with a replaced payload."""
    header, _, signature = maker.token("bruce").split(".")
    return f"{header}.{as_part(maker.claims('admin', scope='admin'))}.{signature}"


def with_spaces_inside(maker: TokenMaker) -> str:
    """A valid token with a space in it."""
    token = maker.token("bruce")
    return f"{token[:50]} {token[50:]}"


def expired(maker: TokenMaker) -> str:
    """A token that expired, longer ago than clocks may differ."""
    return maker.token("bruce", exp=int(time.time()) - CLOCK_SKEW_SECONDS - 1)


def of_type(typ: str) -> Callable[[TokenMaker], str]:
    """A token, with this `typ`, that would otherwise be valid."""
    return lambda maker: sign_token(maker.claims("bruce"), maker.private_key, typ=typ)


def starting_later(claim: str) -> Callable[[TokenMaker], str]:
    """A token that begins later than clocks may differ."""
    return lambda maker: maker.token("bruce", **{claim: int(time.time()) + CLOCK_SKEW_SECONDS + 30})


def living_too_long(maker: TokenMaker) -> str:
    """A token with a lifetime that no service grants."""
    now = int(time.time())
    return maker.token("bruce", iat=now, exp=now + MAX_LIFETIME_SECONDS + 1)


def with_text(claim: str, text: str) -> Callable[[TokenMaker], str]:
    """A token in which a claim is this JSON text."""
    return lambda maker: maker.token_with_text("bruce", **{claim: text})


IMPOSSIBLE_TIMES = ("1e999", "-1e999", "NaN", "-1", "1e300", "1" + "0" * 400, "true", '"1e999"')


def with_header(value: object) -> Callable[[TokenMaker], str]:
    """A token with this header."""
    return lambda maker: f"{as_part(value)}.{as_part(maker.claims('bruce'))}.c2ln"


BAD_TOKENS: dict[str, Callable[[TokenMaker], str]] = {
    "none": unsigned,
    "none with kid": unsigned_with_key_id,
    "HS256": signed_with_the_public_key,
    "another key": of_another_key,
    "another key, known kid": of_another_key_under_a_known_id,
    "own key": with_its_own_key,
    "forged payload": with_a_forged_payload,
    "another issuer": lambda maker: maker.token("bruce", iss="elsewhere"),
    "no issuer": lambda maker: maker.token("bruce", iss=None),
    "another audience": lambda maker: maker.token("bruce", aud="elsewhere"),
    "several audiences": lambda maker: maker.token("bruce", aud=["mythoughts"]),
    "no audience": lambda maker: maker.token("bruce", aud=None),
    "no exp": lambda maker: maker.token("bruce", exp=None),
    "exp as text": lambda maker: maker.token("bruce", exp=str(int(time.time()) + 999)),
    "exp null": lambda maker: sign_token(maker.claims("bruce") | {"exp": None}, maker.private_key),
    "expired": expired,
    "typ JWT": of_type("JWT"),
    "typ empty": of_type(""),
    "typ of a list": of_type("statuslist+jwt"),
    "typ almost": of_type("at+jwt2"),
    "nbf later": starting_later("nbf"),
    "iat later": starting_later("iat"),
    "no iat": lambda maker: maker.token("bruce", iat=None),
    "expires before it begins": lambda maker: maker.token(
        "bruce", iat=int(time.time()), exp=int(time.time()) - 10
    ),
    "lives too long": living_too_long,
    **{
        f"{claim} {text[:9]}": with_text(claim, text)
        for claim in ("exp", "iat", "nbf")
        for text in IMPOSSIBLE_TIMES
    },
    "no jti": lambda maker: maker.token("bruce", jti=None),
    "empty jti": lambda maker: maker.token("bruce", jti=""),
    "jti as number": lambda maker: maker.token("bruce", jti=1),
    "no sid": lambda maker: maker.token("bruce", sid=None),
    "sid as number": lambda maker: maker.token("bruce", sid=1),
    "sid 0": lambda maker: maker.token("bruce", sid="0"),
    "no user": lambda maker: maker.token("bruce", sub=None),
    "user 0": lambda maker: maker.token("bruce", user_id=0),
    "user -1": lambda maker: maker.token("bruce", user_id=-1),
    "user too large": lambda maker: maker.token("bruce", user_id=2**63),
    "user as name": lambda maker: maker.token("bruce", sub="bruce"),
    "user as number": lambda maker: maker.token("bruce", sub=1),
    "no username": lambda maker: maker.token("bruce", username=None),
    "cut short": lambda maker: maker.token("bruce")[:-10],
    "cut in two": lambda maker: maker.token("bruce").rpartition(".")[0],
    "one more part": lambda maker: maker.token("bruce") + ".e30",
    "spaces inside": with_spaces_inside,
    "twice": lambda maker: f"{maker.token('bruce')} {maker.token('bruce')}",
    "twice, with a comma": lambda maker: f"{maker.token('bruce')}, Bearer {maker.token('bruce')}",
    "quoted": lambda maker: f'"{maker.token("bruce")}"',
    "empty": lambda _: "",
    "dots": lambda _: "..",
    "not base64": lambda _: "a.b.c",
    "garbage": lambda _: "!" * 200,
    "not ASCII": lambda _: "é.é.é",
    "6 KB": lambda maker: maker.token("x" * 6000),
    "header a list": with_header([]),
    "header a number": with_header(1),
    "header null": with_header(None),
    "header of pairs": with_header([["alg", "RS256"], ["kid", "x"]]),
    "kid a list": with_header({"alg": "RS256", "kid": []}),
    "kid null": with_header({"alg": "RS256", "kid": None}),
    "alg a list": with_header({"alg": ["RS256"], "kid": "x"}),
    "critical extension": lambda maker: with_header(
        {"alg": "RS256", "kid": maker.private_key["kid"], "crit": ["b64"], "b64": False}
    )(maker),
    "deep header": lambda _: f"{encoded(b'[' * 2000)}.e30.c2ln",
    "deep header, closed": lambda _: f"{encoded(b'[' * 1400 + b']' * 1400)}.e30.c2ln",
    "header not UTF-8": lambda _: encoded(b'{"kid": "\xff"}') + ".e30.c2ln",
}
