"""Creates and rotates the keys of tokens: two JWK sets in files, described in the chassis's `keys`.

The private set is for this service, which signs with it. The public set has the same keys without
their private parts; every service verifies with it.
"""

import itertools
import os
import tempfile
import time
from pathlib import Path

import msgspec
from joserfc.jwk import RSAKey

from mythoughts_chassis.keys import ALGORITHM, Jwk, read_key_set

# OWASP ASVS 5.0, 11.2.3.
KEY_BITS = 3072


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
    # A key that was added before this one may begin to sign after it.
    newest_first = sorted([new, *old], key=lambda key: -key["nbf"])
    keys = [newest_first[0], *_still_needed(newest_first, now - token_lifetime_seconds)]
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
