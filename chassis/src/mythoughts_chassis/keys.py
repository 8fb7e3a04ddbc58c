"""Signing keys: two JWK sets (RFC 7517) in files, created and rotated together.

The private set is for the service that signs; the public set, the same keys without their
private parts, is for the services that verify:

    {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "qF3…", "nbf": 1790000000,
               "n": "…", "e": "AQAB"}, …]}

The newest key comes first. A key signs from the time in `nbf` on, so verifiers can load it
before the first token uses it. `kid` is the key's thumbprint (RFC 7638).
"""

import itertools
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
from joserfc.jwk import RSAKey

ALGORITHM = "RS256"
KEY_BITS = 2048

Jwk = dict[str, Any]


class KeySetError(Exception):
    """A key file is missing, cannot be read, or is not a set of RSA keys."""


class WatchedFile:
    """Detects cheaply whether a file changed, even if it is replaced through a link."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int, int] | None = None

    def changed(self) -> bool:
        """Return whether the file changed since the last call; True on the first call."""
        try:
            stat = self.path.stat()
        except OSError:
            return False
        signature = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
        if signature == self._seen:
            return False
        self._seen = signature
        return True


def read_key_set(path: Path) -> list[Jwk]:
    """Return the keys in the file, newest first; raises `KeySetError`."""
    try:
        keys = msgspec.json.decode(path.read_bytes(), type=dict[str, list[Jwk]])["keys"]
        for key in keys:
            RSAKey.import_key(key)
            key["kid"], key["nbf"]
    except OSError as error:
        raise KeySetError(f"cannot read the key file {path}: {error.strerror}") from error
    except Exception as error:
        raise KeySetError(f"{path} is not a JWK set of RSA keys: {error}") from error
    if not keys:
        raise KeySetError(f"{path} holds no key")
    return keys


def signing_key(keys: list[Jwk], now: float) -> Jwk:
    """Return the newest key that may sign at `now` (epoch seconds)."""
    active = [key for key in keys if key["nbf"] <= now]
    return max(active or keys[-1:], key=lambda key: int(key["nbf"]))


def rotate_key_sets(
    private_path: Path,
    public_path: Path,
    *,
    token_lifetime_seconds: int,
    activate_in_seconds: int = 0,
    keep_old: bool = True,
) -> str:
    """Add a new key to both files, creating them if necessary, and return its `kid`.

    Keys that no unexpired token can use any more are dropped. With `keep_old=False` all older
    keys are dropped, which invalidates every token signed so far. The public file is written
    first, so a verifier lags behind the signer only until it next reads the file.
    Raises `KeySetError` if an existing file is damaged.
    """
    now = int(time.time())
    old = read_key_set(private_path) if keep_old and private_path.exists() else []
    new = new_private_key(now + activate_in_seconds)
    keys = [new, *_still_needed([new, *old], now - token_lifetime_seconds)]
    write_atomically(public_path, _encode([public_part(key) for key in keys]), mode=0o644)
    write_atomically(private_path, _encode(keys), mode=0o600)
    return str(new["kid"])


def new_private_key(not_before: int) -> Jwk:
    """Create an RSA key that signs from `not_before` (epoch seconds) on."""
    key = RSAKey.generate_key(KEY_BITS, private=True)
    facts = {"use": "sig", "alg": ALGORITHM, "kid": key.thumbprint(), "nbf": not_before}
    return {**key.as_dict(private=True), **facts}


def public_part(key: Jwk) -> Jwk:
    """Return the key without its private parts."""
    return {name: key[name] for name in ("kty", "use", "alg", "kid", "nbf", "n", "e")}


def write_atomically(path: Path, content: bytes, *, mode: int) -> None:
    """Replace the file atomically: readers see the old content or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink()
        raise


def _still_needed(keys: list[Jwk], oldest_token: int) -> list[Jwk]:
    """Return the keys, without the first, whose successor began to sign after `oldest_token`."""
    return [key for successor, key in itertools.pairwise(keys) if successor["nbf"] > oldest_token]


def _encode(keys: list[Jwk]) -> bytes:
    return msgspec.json.format(msgspec.json.encode({"keys": keys}), indent=2) + b"\n"
