"""Keys and tokens for tests, created at run time."""

import time
import uuid
from pathlib import Path
from typing import Any

from mythoughts_chassis.keys import Jwk, read_key_set
from users_backend.keys import rotate_key_sets
from users_backend.signing import sign_token

LIFETIME_SECONDS = 3600


class TokenMaker:
    """Keeps two JWK set files in a folder and signs tokens with the newest, `private_key`."""

    def __init__(self, folder: Path) -> None:
        self.private_path = folder / "private.json"
        self.public_path = folder / "public.json"
        self.rotate()

    def rotate(self, *, keep_old: bool = True) -> None:
        """Add a new key, or replace all."""
        rotate_key_sets(
            self.private_path,
            self.public_path,
            token_lifetime_seconds=LIFETIME_SECONDS,
            keep_old=keep_old,
        )
        # Reading checks the numbers of every key, which takes time.
        self.private_key: Jwk = read_key_set(self.private_path)[0]

    def claims(self, name: str, *, user_id: int = 1, **changes: Any) -> dict[str, Any]:
        """The claims of a valid token, changed; a change to None removes the claim."""
        now = int(time.time())
        claims = {
            "iss": "mythoughts",
            "aud": "mythoughts",
            "sub": str(user_id),
            "username": name,
            "iat": now,
            "exp": now + LIFETIME_SECONDS,
            "jti": uuid.uuid4().hex,
            "sid": str(user_id),
        }
        return {name: value for name, value in (claims | changes).items() if value is not None}

    def token(self, name: str, *, user_id: int = 1, **changes: Any) -> str:
        """A signed token with these claims."""
        return sign_token(self.claims(name, user_id=user_id, **changes), self.private_key)

    def admin_token(self) -> str:
        """A token of an admin."""
        return self.token("admin", user_id=99, scope="admin")
