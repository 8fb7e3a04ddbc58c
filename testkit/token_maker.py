"""Keys and tokens for tests, created at run time."""

import json
import time
import uuid
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from joserfc import jws
from joserfc.jwk import RSAKey

from mythoughts_chassis import status_lists
from mythoughts_chassis.keys import ALGORITHM, Jwk, read_key_set
from mythoughts_chassis.status_lists import claims_of, list_of
from users_backend.keys import rotate_key_sets
from users_backend.signing import sign_token

LIFETIME_SECONDS = 3600


class TokenMaker:
    """Keeps two JWK set files in a folder and signs tokens with the newest, `private_key`.

    All begin with the same key, because making and reading one takes 0.3 s; a `stranger` begins
    with another.
    """

    def __init__(self, folder: Path, *, stranger: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.private_path = folder / "private.json"
        self.public_path = folder / "public.json"
        private, public, self.private_key = _first_key_set(stranger)
        self.private_path.write_bytes(private)
        self.private_path.chmod(0o600)
        self.public_path.write_bytes(public)

    def rotate(self, *, keep_old: bool = True) -> None:
        """Add a new key, or replace all."""
        _rotate(self.private_path, self.public_path, keep_old=keep_old)
        self.private_key = read_key_set(self.private_path)[0]

    def claims(self, name: str, *, user_id: int = 1, **changes: Any) -> dict[str, Any]:
        """The claims of a valid token, changed; a change to None removes the claim.

        A token that expires early was issued early.
        """
        now = int(time.time())
        exp = changes.get("exp", now + LIFETIME_SECONDS)
        issued_at = min(now, exp - LIFETIME_SECONDS) if isinstance(exp, int) else now
        claims = {
            "iss": "mythoughts",
            "aud": "mythoughts",
            "sub": str(user_id),
            "username": name,
            "iat": issued_at,
            "exp": now + LIFETIME_SECONDS,
            "jti": uuid.uuid4().hex,
            "sid": str(user_id),
        }
        return {name: value for name, value in (claims | changes).items() if value is not None}

    def token(self, name: str, *, user_id: int = 1, **changes: Any) -> str:
        """A signed token with these claims."""
        return sign_token(self.claims(name, user_id=user_id, **changes), self.private_key)

    def token_with_text(self, name: str, **texts: str) -> str:
        """A signed token in which these claims are JSON texts, such as `1e999`."""
        others = {claim: value for claim, value in self.claims(name).items() if claim not in texts}
        added = "".join(f', "{claim}": {text}' for claim, text in texts.items())
        payload = f"{json.dumps(others)[:-1]}{added}}}"
        header = {"alg": ALGORITHM, "kid": self.private_key["kid"], "typ": "at+jwt"}
        return jws.serialize_compact(header, payload, RSAKey.import_key(self.private_key))

    def status_list(
        self, ended: Iterable[int] = (), *, issued_at: float | None = None, **changes: Any
    ) -> str:
        """A signed list of ended sessions, as the Users Backend makes it, with changed claims."""
        claims = self.list_claims(ended, issued_at=issued_at) | changes
        return sign_token(claims, self.private_key, typ=status_lists.TYPE)

    def list_claims(
        self, ended: Iterable[int], *, issued_at: float | None = None
    ) -> dict[str, Any]:
        """The claims of such a list."""
        now = time.time() if issued_at is None else issued_at
        return claims_of(list_of(list(ended), now), "mythoughts")

    def admin_token(self) -> str:
        """A token of an admin."""
        return self.token("admin", user_id=99, scope="admin")


@cache
def _first_key_set(stranger: bool) -> tuple[bytes, bytes, Jwk]:
    """Return the content of the two files, and the private key."""
    with TemporaryDirectory() as folder:
        private_path, public_path = Path(folder, "private.json"), Path(folder, "public.json")
        _rotate(private_path, public_path)
        private_key = read_key_set(private_path)[0]
        return private_path.read_bytes(), public_path.read_bytes(), private_key


def _rotate(private_path: Path, public_path: Path, *, keep_old: bool = True) -> None:
    rotate_key_sets(
        private_path, public_path, token_lifetime_seconds=LIFETIME_SECONDS, keep_old=keep_old
    )
