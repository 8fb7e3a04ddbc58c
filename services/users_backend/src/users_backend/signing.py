"""Signs access tokens with the keys in a file, which can be replaced while the service runs."""

from hashlib import blake2b
from typing import Any

from joserfc import jwt

from mythoughts_chassis import tokens
from mythoughts_chassis.keys import ALGORITHM, Jwk, WatchedKeySet, imported
from users_backend.session_queries import Grant


class TokenSigner:
    """Signs tokens in the format described in `mythoughts_chassis.tokens`."""

    def __init__(self, private_keys: WatchedKeySet, *, issuer: str, audience: str) -> None:
        self._private_keys = private_keys
        self._issuer = issuer
        self._audience = audience

    def sign(self, grant: Grant, token_id: str) -> str:
        """Return the token that states the grant."""
        issued_at = grant.issued_at.timestamp()
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": str(grant.user_id),
            "username": grant.username,
            "iat": int(issued_at),
            "exp": int(grant.expires_at.timestamp()),
            "jti": token_id,
            "sid": str(grant.session_id),
        }
        if grant.is_admin:
            claims["scope"] = "admin"
        return sign_token(claims, signing_key(self._private_keys.keys(), issued_at))

    def secret(self) -> bytes:
        """Return a secret that only processes with the same private keys know."""
        newest = self._private_keys.keys()[0]
        return blake2b(newest["d"].encode(), person=b"guesses", digest_size=32).digest()


def signing_key(keys: list[Jwk], now: float) -> Jwk:
    """Return the newest key that may sign at `now` (epoch seconds)."""
    active = [key for key in keys if key["nbf"] <= now]
    return max(active or keys[-1:], key=lambda key: int(key["nbf"]))


def sign_token(claims: dict[str, Any], private_key: Jwk, *, typ: str = tokens.TYPE) -> str:
    """Return the compact form of a token signed with `private_key`."""
    header = {"alg": ALGORITHM, "kid": private_key["kid"], "typ": typ}
    return jwt.encode(header, claims, imported(private_key), algorithms=[ALGORITHM])
